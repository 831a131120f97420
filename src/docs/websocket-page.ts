import { closeCodeTable } from "../contract/close-codes.ts";
import { errorCodeMeanings } from "../contract/error-codes.ts";
import { errorFrame, subprotocol, unknownRequestType } from "../contract/frames.ts";
import { jsonSchema } from "../contract/schema.ts";
import { type AnyMessageType, errorsOf } from "../ws/message-type.ts";
import { serverPushes } from "../ws/server-pushes.ts";
import { commonErrors, upgradeErrors } from "./asyncapi.ts";
import { exampleFrames, examplePush } from "./frame-schemas.ts";
import { codeBlock, type Html, html, prose, table } from "./html.ts";
import { paramsTable } from "./params-table.ts";
import { webSocketConsole } from "./websocket-console.ts";

/** Stands in the page where the address of the WebSocket is written. */
const addressPlaceholder = "ws://ADDRESS-OF-THE-SERVER";

const reconnectWords = { yes: "yes", later: "yes, later", afterLogIn: "after a log-in", no: "no" } as const;

const code = (text: string | number): Html => html`<code>${text}</code>`;

/**
 * The page about the WebSocket for people, generated from the message types. Its style and its script are
 * `packages/console`; it can be read without them.
 * @returns the page of a server whose WebSocket has the address
 */
export function webSocketPage(messageTypes: readonly AnyMessageType[]): (address: string) => string {
  const page = pageOf(messageTypes).text;
  return (address) => page.replaceAll(addressPlaceholder, () => html`${address}`.text);
}

const pageOf = (messageTypes: readonly AnyMessageType[]): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Messenger: the WebSocket</title>
<link rel="icon" href="/api/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/api/console.css">
<script type="module" src="/api/console.js"></script>
</head>
<body>
<main>
<h1>The WebSocket</h1>
<p>Clients send and receive everything over one WebSocket, ${address}; each frame is one JSON object. To register and log
in, see <a href="/api/">the HTTP side</a>. This page is also available as <a href="/api/asyncapi.json">AsyncAPI</a>.</p>
<nav aria-label="Parts of this page" class="page-index"><a href="#console">Console</a> <a href="#connect-how">Connect</a>
<a href="#requests">Requests and answers</a> <a href="#pushes">Pushes</a> <a href="#errors">Errors</a>
<a href="#close-codes">Close codes</a> <a href="#types">Types</a></nav>
${webSocketConsole(messageTypes)}
${connecting}
${requestsAndAnswers}
${pushes}
${errors}
${closing}
<h2 id="types">Types</h2>
${typeIndex(messageTypes)}
${messageTypes.map(typeSection)}
</main>
</body>
</html>`;

const address = html`<code data-address>${addressPlaceholder}</code>`;

const connecting = html`<h2 id="connect-how">Connect</h2>
<p>Send the <code>token</code> of a registration or log-in in the header <code>Authorization</code>. Browsers cannot set
headers; they send it as a second subprotocol. The server selects the subprotocol ${code(subprotocol)}. It does not read
tokens in URLs.</p>
<pre><code>npx wscat -c <span data-address>${addressPlaceholder}</span> -H "Authorization: Bearer $TOKEN"</code></pre>
<pre><code>new WebSocket("<span data-address>${addressPlaceholder}</span>", ["${subprotocol}", "bearer." + token])</code></pre>
<p>A rejected upgrade is answered with an HTTP status and problem details:</p>
${table(
  ["status", "code", "meaning"],
  upgradeErrors.map(({ status, code: errorCode }) => [
    code(status),
    code(errorCode),
    prose(errorCodeMeanings[errorCode]),
  ]),
)}`;

const requestsAndAnswers = html`<h2 id="requests">Requests and answers</h2>
<p>A request has a <code>type</code>, its <code>params</code> and optionally a <code>requestId</code> (1 to 64 characters,
or an integer), which the answer repeats. Unknown keys are ignored. Each request gets exactly one answer, in the order of
the requests. The answer to a change is sent after the change is committed.</p>`;

const pushes = html`<h2 id="pushes">Pushes</h2>
<p>Changes by others are pushed under the type of their request, with <code>isBroadcast: true</code> and the whole event in
<code>item</code>. Every device of every recipient gets the push, except the socket that sent the request: it gets the
answer. In each chat, <code>seq</code> numbers the messages and <code>version</code> the changes, both 1, 2, 3 and so on
without gaps, and every socket receives them in that order.</p>
<p>Two types are pushed without a request of a socket:</p>
${serverPushes.map(({ type, summary, to, item }) => html`<h3>${type}</h3><p>${summary} It is sent to ${to}.</p>${codeBlock(examplePush(type, item.example))}`)}`;

const errors = html`<h2 id="errors">Errors</h2>
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

const closing = html`<h2 id="close-codes">Close codes</h2>
<p>When the server closes a socket, the close code says whether to reconnect.</p>
${table(
  ["code", "meaning", "reconnect?"],
  Object.values(closeCodeTable).map((entry) => [
    code(entry.code),
    prose(entry.description),
    reconnectWords[entry.reconnect],
  ]),
)}`;

const typeIndex = (messageTypes: readonly AnyMessageType[]): Html => html`<nav id="type-index" aria-label="Types">
<div class="bar" data-script hidden>
<label>Filter types <input id="type-filter" type="search"></label>
<button type="button" id="expand-types">Expand all</button>
<button type="button" id="collapse-types">Collapse all</button>
<span role="status" id="type-count"></span>
</div>
<ul>${messageTypes.map(({ type }) => html`<li><a href="#${type}">${type}</a></li>`)}</ul>
</nav>`;

function typeSection(messageType: AnyMessageType): Html {
  const { type, summary, params, push } = messageType;
  const frames = exampleFrames(messageType);
  return html`<details class="type" id="${type}">
<summary><h3>${type}</h3> <span>${prose(summary)}</span></summary>
<div>
<p data-script hidden><button type="button" data-try="${type}">Try ${type} in the console</button></p>
<h4>Request</h4>
<div class="request">${codeBlock(frames.request)}</div>
${paramsTable(jsonSchema(params))}
<h4>Answer</h4>
${codeBlock(frames.answer)}
${push ? html`<h4>Push, to ${push.to}</h4>${codeBlock(frames.push)}` : html`<p>It is not pushed.</p>`}
<p>Errors: ${[...new Set([...errorsOf(messageType), ...commonErrors])].map((error) => html`${code(error)} `)}</p>
</div>
</details>`;
}
