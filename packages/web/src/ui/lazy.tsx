import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A component that is loaded when it is first shown. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
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
    if (!isFailed) return null;
    return (
      <p class="page-empty" role="alert">
        This could not be loaded.{" "}
        <button type="button" class="link-button" onClick={() => location.reload()}>
          Reload
        </button>
      </p>
    );
  };
}
