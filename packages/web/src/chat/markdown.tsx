import { Lexer, type MarkedToken, type Token } from "marked";
import type { ComponentChildren } from "preact";
import { memo } from "./memo.ts";
import type { MentionPart } from "./mention-text.ts";

/** Only these are links; anything else is shown as text. */
const safeLink = /^(https?:|mailto:)/i;

interface MarkdownProps {
  text: string;
  /** The parts that mention people. */
  mentions: readonly MentionPart[];
}

/** A message with its links, code, emphasis and lists. Everything becomes elements: no text is ever read as HTML. */
export const Markdown = memo(({ text, mentions }: MarkdownProps) => (
  <>{blocks(new Lexer({ gfm: true, breaks: true }).lex(withMarks(text, mentions)))}</>
));

/* Mentions pass the lexer between characters that no text contains (Unicode reserves them for programs). */
const [ofMe, ofOthers, end] = ["\ufdd0", "\ufdd1", "\ufdd2"];
const anyMark = /[\ufdd0-\ufdd2]/g;
/** The same in the address of a link. */
const encodedMark = /%EF%B7%9[0-2]/gi;

function withMarks(text: string, mentions: readonly MentionPart[]): string {
  if (mentions.length === 0 || text.search(anyMark) >= 0) return text;
  let [marked, from] = ["", 0];
  for (const { offset, length, isMe } of mentions) {
    marked += text.slice(from, offset) + (isMe ? ofMe : ofOthers) + text.slice(offset, offset + length) + end;
    from = offset + length;
  }
  return marked + text.slice(from);
}

const plain = (text: string): string => text.replace(anyMark, "");

/** A text with its mentions as elements. */
const withMentions = (text: string): ComponentChildren =>
  text.split(/([\ufdd0\ufdd1][^\ufdd0-\ufdd2]*\ufdd2)/).map((part) => {
    if (!part.endsWith(end)) return plain(part);
    return <span class={part.startsWith(ofMe) ? "mention mention-me" : "mention"}>{plain(part)}</span>;
  });

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
          <code>{plain(token.text)}</code>
        </pre>
      );
    case "blockquote":
      return <blockquote dir="auto">{blocks(token.tokens)}</blockquote>;
    case "list": {
      const items = token.items.map((item) => <li dir="auto">{blocks(item.tokens)}</li>);
      return token.ordered ? <ol start={Number(token.start) || 1}>{items}</ol> : <ul>{items}</ul>;
    }
    case "text":
      return token.tokens ? inline(token.tokens) : withMentions(token.text);
    default:
      // Tables, rules, HTML and definitions stay as they were written.
      return <p dir="auto">{withMentions(token.raw.trimEnd())}</p>;
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
      return <code>{plain(token.text)}</code>;
    case "br":
      return <br />;
    case "escape":
      return token.text;
    case "link":
      return safeLink.test(token.href) ? (
        <ExternalLink href={token.href}>{inline(token.tokens)}</ExternalLink>
      ) : (
        withMentions(token.raw)
      );
    case "image":
      return safeLink.test(token.href) ? (
        <ExternalLink href={token.href}>{plain(token.text || token.href)}</ExternalLink>
      ) : (
        withMentions(token.raw)
      );
    case "text":
      return token.tokens ? inline(token.tokens) : withMentions(token.text);
    default:
      return withMentions(token.raw);
  }
}

function ExternalLink({ href, children }: { href: string; children: ComponentChildren }) {
  return (
    <a href={plain(href).replace(encodedMark, "")} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}
