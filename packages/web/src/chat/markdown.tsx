import { Lexer, type MarkedToken, type Token } from "marked";
import type { ComponentChildren } from "preact";
import { memo } from "./memo.ts";

/** Only these are links; anything else is shown as text. */
const safeLink = /^(https?:|mailto:)/i;

/** A message with its links, code, emphasis and lists. Everything becomes elements: no text is ever read as HTML. */
export const Markdown = memo(({ text }: { text: string }) => (
  <>{blocks(new Lexer({ gfm: true, breaks: true }).lex(text))}</>
));

const blocks = (tokens: readonly Token[]): ComponentChildren => tokens.map((token) => block(token as MarkedToken));

function block(token: MarkedToken): ComponentChildren {
  switch (token.type) {
    case "space":
      return null;
    case "paragraph":
      return <p dir="auto">{inline(token.tokens)}</p>;
    case "heading":
      return (
        <p dir="auto">
          <strong>{inline(token.tokens)}</strong>
        </p>
      );
    case "code":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: long lines are scrolled with the keyboard
        <pre tabIndex={0}>
          <code>{token.text}</code>
        </pre>
      );
    case "blockquote":
      return <blockquote dir="auto">{blocks(token.tokens)}</blockquote>;
    case "list": {
      const items = token.items.map((item) => <li dir="auto">{blocks(item.tokens)}</li>);
      return token.ordered ? <ol start={Number(token.start) || 1}>{items}</ol> : <ul>{items}</ul>;
    }
    case "text":
      return token.tokens ? inline(token.tokens) : token.text;
    default:
      // Tables, rules, HTML and definitions stay as they were written.
      return <p dir="auto">{token.raw.trimEnd()}</p>;
  }
}

const inline = (tokens: readonly Token[]): ComponentChildren => tokens.map((token) => span(token as MarkedToken));

function span(token: MarkedToken): ComponentChildren {
  switch (token.type) {
    case "strong":
      return <strong>{inline(token.tokens)}</strong>;
    case "em":
      return <em>{inline(token.tokens)}</em>;
    case "del":
      return <del>{inline(token.tokens)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "escape":
      return token.text;
    case "link":
      return safeLink.test(token.href) ? (
        <ExternalLink href={token.href}>{inline(token.tokens)}</ExternalLink>
      ) : (
        token.raw
      );
    case "image":
      return safeLink.test(token.href) ? (
        <ExternalLink href={token.href}>{token.text || token.href}</ExternalLink>
      ) : (
        token.raw
      );
    case "text":
      return token.tokens ? inline(token.tokens) : token.text;
    default:
      return token.raw;
  }
}

function ExternalLink({ href, children }: { href: string; children: ComponentChildren }) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}
