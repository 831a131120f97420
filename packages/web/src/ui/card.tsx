import type { ComponentChildren } from "preact";
import { messenger } from "../messenger.ts";
import { isOnlyForLinks } from "../only-for-links.ts";
import { useObservable } from "../use-observable.ts";

/** The card in the middle of the page for somebody who is not logged in, under the name of the server. */
export function Card({ subtitle, children }: { subtitle: ComponentChildren; children: ComponentChildren }) {
  const name = useObservable(messenger.info)?.name ?? document.title;
  return (
    <main class="log-in">
      <div class="card">
        <h1>{name}</h1>
        <p class="subtitle">{subtitle}</p>
        {children}
      </div>
    </main>
  );
}

/** The way from the page of a link, or from one that creates an account, to the log-in, if there is one. */
export const LogInInstead = () =>
  isOnlyForLinks ? null : (
    <p class="switch">
      Already have an account? <a href="/">Log in instead</a>
    </p>
  );
