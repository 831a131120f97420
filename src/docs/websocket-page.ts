import { closeCodeTable } from "../contract/close-codes.ts";
import { errorCodeMeanings } from "../contract/error-codes.ts";
import { errorFrame, subprotocol, unknownRequestType } from "../contract/frames.ts";
import { jsonSchema } from "../contract/schema.ts";
import type { AnyMessageType } from "../ws/message-type.ts";
import { serverPushes } from "../ws/server-pushes.ts";
import { commonErrors, upgradeErrors } from "./asyncapi.ts";
import { exampleFrames, examplePush } from "./frame-schemas.ts";
import { codeBlock, type Html, html, prose, table } from "./html.ts";
import { paramsTable } from "./params-table.ts";

const style = `
  :root { color-scheme: light dark; --soft: color-mix(in srgb, currentColor 8%, transparent); }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
  code, pre { font: 14px/1.45 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
  code { padding: 0 .25em; } pre { padding: .75em; overflow-x: auto; } pre code { background: none; padding: 0; }
  table { display: block; overflow-x: auto; border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
  th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--soft); }
  nav { columns: 2 14rem; overflow-wrap: anywhere; } h2 { margin-top: 3rem; } h3 { margin: 1.2rem 0 .3rem; font-size: 1rem; }
  section { border-top: 1px solid var(--soft); margin-top: 2.5rem; }`;

const reconnectWords = { yes: "yes", later: "yes, later", afterLogIn: "after a log-in", no: "no" } as const;

const code = (text: string | number): Html => html`<code>${text}</code>`;

/** The page about the WebSocket for people, generated from the message types. */
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
<p>Clients send and receive everything over one WebSocket; each frame is one JSON object. To register and log in, see
<a href="/api/">the HTTP side</a>. This page is also available as <a href="/api/asyncapi.json">AsyncAPI</a>.</p>
${connecting}
${requestsAndAnswers}
${pushes}
${errors}
${closing}
<h2>Types</h2>
<nav>${messageTypes.map(({ type }) => html`<a href="#${type}">${type}</a><br>`)}</nav>
${messageTypes.map(typeSection)}
</body>
</html>`.text;
}

const connecting = html`<h2>Connect</h2>
<p>Send the <code>token</code> of a registration or log-in in the header <code>Authorization</code>. Browsers cannot set
headers; they send it as a second subprotocol. The server selects the subprotocol ${code(subprotocol)}. It does not read
tokens in URLs.</p>
<pre><code>npx wscat -c ws://localhost:3000 -H "Authorization: Bearer $TOKEN"</code></pre>
<pre><code>new WebSocket("ws://localhost:3000", ["${subprotocol}", "bearer." + token])</code></pre>
<p>A rejected upgrade is answered with an HTTP status and problem details:</p>
${table(
  ["status", "code", "meaning"],
  upgradeErrors.map(({ status, code: errorCode }) => [
    code(status),
    code(errorCode),
    prose(errorCodeMeanings[errorCode]),
  ]),
)}`;

const requestsAndAnswers = html`<h2>Requests and answers</h2>
<p>A request has a <code>type</code>, its <code>params</code> and optionally a <code>requestId</code> (1 to 64 characters,
or an integer), which the answer repeats. Unknown keys are ignored. Each request gets exactly one answer, in the order of
the requests. The answer to a change is sent after the change is committed.</p>`;

const pushes = html`<h2>Pushes</h2>
<p>Changes by others are pushed under the type of their request, with <code>isBroadcast: true</code> and the whole event in
<code>item</code>. Every device of every recipient gets the push, except the socket that sent the request: it gets the
answer. In each chat, <code>seq</code> numbers the messages and <code>version</code> the changes, both 1, 2, 3 and so on
without gaps, and every socket receives them in that order.</p>
<p>Two types are pushed without a request of a socket:</p>
${serverPushes.map(({ type, summary, to, item }) => html`<h3>${type}</h3><p>${summary} It is sent to ${to}.</p>${codeBlock(examplePush(type, item.example))}`)}`;

const errors = html`<h2>Errors</h2>
<p>A request that is rejected is answered with an error, and the socket stays open:</p>
${codeBlock(errorFrame("addUserInGroup", { code: "NOT_MEMBER", message: "User is not a member of this group" }))}
<p><code>code</code> is for programs, <code>message</code> for people. Every type can answer
${commonErrors.map((error) => html`${code(error)} `)}in addition to its own codes. Frames without a known type are answered
under the type ${code(unknownRequestType)}.</p>
${table(
  ["code", "meaning"],
  Object.entries(errorCodeMeanings).map(([error, meaning]) => [code(error), prose(meaning)]),
)}
<p>Requests that change a chat have one rate limit for each user, all other requests have another.</p>`;

const closing = html`<h2>Close codes</h2>
<p>When the server closes a socket, the close code says whether to reconnect.</p>
${table(
  ["code", "meaning", "reconnect?"],
  Object.values(closeCodeTable).map((entry) => [
    code(entry.code),
    prose(entry.description),
    reconnectWords[entry.reconnect],
  ]),
)}`;

function typeSection(messageType: AnyMessageType): Html {
  const { type, summary, params, push, errors: ownErrors } = messageType;
  const frames = exampleFrames(messageType);
  return html`<section id="${type}">
<h2>${type}</h2>
<p>${prose(summary)}</p>
<h3>Request</h3>
${codeBlock(frames.request)}
${paramsTable(jsonSchema(params))}
<h3>Answer</h3>
${codeBlock(frames.answer)}
${push ? html`<h3>Push, to ${push.to}</h3>${codeBlock(frames.push)}` : html`<p>It is not pushed.</p>`}
<p>Errors: ${[...new Set([...ownErrors, ...commonErrors])].map((error) => html`${code(error)} `)}</p>
</section>`;
}
