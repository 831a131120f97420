import { Component, type ComponentType, createElement, type FunctionComponent } from "preact";

/** A component that renders again only when one of its properties is another one. */
export function memo<Props extends object>(inner: FunctionComponent<Props>): ComponentType<Props> {
  return class extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>): boolean {
      const before = this.props as Readonly<Props>;
      const keys = new Set([...Object.keys(before), ...Object.keys(next)]) as Set<keyof Props>;
      return [...keys].some((key) => before[key] !== next[key]);
    }

    override render() {
      return createElement(inner, this.props as Props);
    }
  };
}
