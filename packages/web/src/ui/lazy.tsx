import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/**
 * A component that is loaded when it is first shown.
 * @param Failure is shown if it could not be loaded
 */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  Failure: ComponentType = LoadFailure,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
    const [Component, setComponent] = useState(() => loaded);
    const [isFailed, setFailed] = useState(false);
    useEffect(() => {
      if (Component) return;
      load().then(
        (component) => {
          loaded = component;
          setComponent(() => component);
        },
        () => setFailed(true),
      );
    }, []);
    if (Component) return <Component {...props} />;
    return isFailed ? <Failure /> : null;
  };
}

const LoadFailure = () => (
  <p class="page-empty" role="alert">
    This page could not be loaded.{" "}
    <button type="button" class="link-button" onClick={() => location.reload()}>
      Reload
    </button>
  </p>
);
