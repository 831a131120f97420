import { subprotocol } from "../contract/frames.ts";
import type { AnyMessageType } from "../ws/message-type.ts";
import { type Html, html } from "./html.ts";

/** The console of the page about the WebSocket. Its script, `packages/console`, shows it and takes the examples from the page. */
export const webSocketConsole = (
  messageTypes: readonly AnyMessageType[],
): Html => html`<section id="console" aria-labelledby="console-title" data-subprotocol="${subprotocol}">
<h2 id="console-title">Console</h2>
<noscript><p>The console needs JavaScript.</p></noscript>
<div data-script hidden>
<div class="connection">
<p role="status" id="connection-state">Not connected.</p>
<button type="button" id="disconnect" hidden>Disconnect</button>
</div>
<div id="connect">
<form id="log-in" method="post">
<label>E-mail <input name="email" inputmode="email" autocomplete="username" autocapitalize="none" spellcheck="false" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>
<form id="use-token" method="post">
<label>Token <input name="token" type="password" autocomplete="off" required></label>
<button>Connect</button>
</form>
</div>
<p role="alert" id="connection-error"></p>
<div class="columns">
<form id="frame-form" method="post">
<label for="type">Type</label>
<select id="type">${messageTypes.map(({ type }) => html`<option>${type}</option>`)}</select>
<label for="frame">Frame</label>
<textarea id="frame" rows="14" spellcheck="false" autocapitalize="none" autocomplete="off" aria-describedby="frame-keys"></textarea>
<div class="bar">
<button class="main">Send</button>
<button type="button" id="reset-frame">Example</button>
<a id="type-reference" href="#"></a>
</div>
<p id="frame-keys"><kbd>Ctrl</kbd> or <kbd>⌘</kbd> + <kbd>Enter</kbd> does the same as the button.</p>
</form>
<div>
<div class="bar">
<label>Filter <input id="frame-filter" type="search"></label>
<label>Show <select id="frame-kind"><option value="">all</option><option value="sent">requests</option><option value="answer">answers</option><option value="push">pushes</option><option value="error">errors</option><option value="event">connection</option></select></label>
<button type="button" id="copy-frames">Copy all</button>
<button type="button" id="clear-frames">Clear</button>
</div>
<div id="frames" role="log" aria-label="Frames" tabindex="0"><ol></ol></div>
<p role="status" id="frame-notice"></p>
</div>
</div>
</div>
</section>`;
