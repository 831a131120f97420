import { closeCodes } from "../contract/close-codes.ts";
import { jsonSchema } from "../contract/schema.ts";
import type { AnyMessageType } from "../ws/message-type.ts";
import { exampleFrames } from "./asyncapi.ts";
import { type Html, html } from "./html.ts";

/** The part of JSON Schema that our rules print. */
interface Rule {
  type?: string | string[];
  description?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  properties?: Record<string, Rule>;
  required?: string[];
}

const style = `
  :root { color-scheme: light dark; --soft: color-mix(in srgb, currentColor 8%, transparent); }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
  code, pre { font: 14px/1.45 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
  code { padding: 0 .25em; } pre { padding: .75em; overflow-x: auto; } pre code { background: none; padding: 0; }
  table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
  th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--soft); }
  nav { columns: 2; } h2 { margin-top: 3rem; } h3 { margin: 1.2rem 0 .3rem; font-size: 1rem; }
  section { border-top: 1px solid var(--soft); margin-top: 2.5rem; }`;

/** Why a socket is closed, and whether to open another. */
const closings: readonly (readonly [code: number, why: string, comeBack: string])[] = [
  [closeCodes.restart, "the server stops or restarts", "yes"],
  [closeCodes.internal, "our fault", "yes"],
  [closeCodes.overloaded, "more sockets than the server takes", "yes, slowly"],
  [1002, "a broken WebSocket protocol; likewise 1007 (not UTF-8), 1008 (too many fragments), 1009 (too big)", "no"],
  [closeCodes.binary, "a binary frame", "no"],
  [closeCodes.malformed, "twenty malformed frames (BAD_JSON, UNKNOWN_TYPE, a bad requestId) in 10 s", "no"],
  [closeCodes.sessionEnded, "the session was ended or has run out", "after a log-in"],
  [closeCodes.accountDeleted, "the account was deleted", "no"],
  [closeCodes.tooSlow, "too much that was pushed waits for you to read it", "yes, and sync"],
  [closeCodes.tooManySockets, "you opened more than 10 sockets; this was the oldest", "no"],
  [closeCodes.flood, "a hundred requests in 10 s that were answered RATE_LIMITED, or a hundred pings", "after 30 s"],
];

/** The page for people about the WebSocket, from the message types themselves. */
export function webSocketPage(messageTypes: readonly AnyMessageType[]): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Messenger: the WebSocket</title>
<style>${style}</style>
</head>
<body>
<h1>The WebSocket</h1>
<p>Everything that is said goes over one WebSocket, one JSON object a frame. To make an account and log in, see
<a href="/api/">the HTTP side</a>; for programs there is the same as <a href="/api/asyncapi.json">AsyncAPI</a>.</p>

<h2>Connect</h2>
<p>Give the <code>token</code> of a registration or a log-in, either in a header or, from a browser, which can set
none, as a second subprotocol. The server answers only <code>messenger.v1</code>; a token in the URL is not read.</p>
<pre><code>npx wscat -c ws://localhost:3000 -H "Authorization: Bearer $TOKEN"</code></pre>
<pre><code>new WebSocket("ws://localhost:3000", ["messenger.v1", "bearer." + token])</code></pre>
<p>A token that does not hold is answered with HTTP 401, another path with 404, a page of a foreign origin with 403.</p>

<h2>Ask and be answered</h2>
<p>A request has a <code>type</code>, its <code>params</code>, and, if you like, a <code>requestId</code> (text of 1 to
64 characters, or an integer), which comes back in the answer. Each request gets exactly one answer, in the order of the
requests. The answer to a change comes after the change is stored for good.</p>
<p>What cannot be done is answered with an error, and the socket stays open:</p>
${code({ error: true, type: "addUserInGroup", message: "User is not a member of this group", code: "NOT_MEMBER" })}
<p><code>code</code> is for programs. Every type can answer <code>VALIDATION</code> (a field breaks its rule; the message
names both), <code>RATE_LIMITED</code> (wait <code>retryAfterMs</code>), <code>UNAVAILABLE</code> (the outcome is unknown:
send it again with the same <code>clientMessageId</code>, it is stored once) and <code>INTERNAL</code>. A frame that
is no JSON object is answered <code>BAD_JSON</code>, an unknown type <code>UNKNOWN_TYPE</code>, both under the type
<code>processor</code>. Unknown keys are ignored.</p>

<h2>Hear of changes</h2>
<p>What others do is pushed under the type they asked with, <code>isBroadcast: true</code>, and the whole event in
<code>item</code>. Every device of everyone concerned gets it, except the socket that asked: that one gets the answer. In
each chat, <code>seq</code> numbers the messages and <code>version</code> the changes, both 1, 2, 3 and so on without a
gap, and every socket hears them in that order.</p>

<h2>When the server closes</h2>
<p>Messages and everything else that changes a chat have one limit for each person, all other requests another; what goes
beyond is answered <code>RATE_LIMITED</code>. The code of a closed socket says whether to come back.</p>
<table><tr><th>code</th><th>why</th><th>come back?</th></tr>
${closings.map(([number, why, comeBack]) => html`<tr><td><code>${number}</code></td><td>${why}</td><td>${comeBack}</td></tr>`)}
</table>

<h2>Types</h2>
<nav>${messageTypes.map(({ type }) => html`<a href="#${type}">${type}</a><br>`)}</nav>
${messageTypes.map(typeSection)}
</body>
</html>`.text;
}

function typeSection(messageType: AnyMessageType): Html {
  const { type, summary, params, push, errors } = messageType;
  const frames = exampleFrames(messageType);
  return html`<section id="${type}">
<h2>${type}</h2>
<p>${summary}</p>
<h3>Request</h3>
${code(frames.request)}
${paramsTable(jsonSchema(params) as Rule)}
<h3>Answer</h3>
${code(frames.answer)}
${push ? html`<h3>Push, to ${push.to}</h3>${code(frames.push)}` : html`<p>Nobody else hears of it.</p>`}
<p>Errors: ${[...errors, "VALIDATION"].map((error) => html`<code>${error}</code> `)}</p>
</section>`;
}

function paramsTable({ properties = {}, required = [] }: Rule): Html {
  const rows = Object.entries(properties).map(
    ([
      name,
      rule,
    ]) => html`<tr><td><code>${name}</code></td><td>${required.includes(name) ? "required" : "optional"}</td>
<td>${kindOf(rule)}</td><td>${rule.description ?? ""}</td></tr>`,
  );
  return html`<table><tr><th>param</th><th></th><th>rule</th><th></th></tr>${rows}</table>`;
}

function kindOf({ type, minimum, maximum, minLength, maxLength }: Rule): string {
  const kind = [type ?? "any"].flat().join(" or ");
  const [least, most] = [minimum ?? minLength, maximum ?? maxLength];
  if (least === undefined || most === undefined) return kind;
  return `${kind}, ${least} to ${most === Number.MAX_SAFE_INTEGER ? "2^53 - 1" : most}`;
}

const code = (value: unknown): Html => html`<pre><code>${JSON.stringify(value, null, 2)}</code></pre>`;
