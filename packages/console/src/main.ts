import { address, Connection } from "./connection.ts";
import { Editor } from "./editor.ts";
import { element } from "./elements.ts";
import { FrameLog } from "./frame-log.ts";
import { setUpTypeIndex } from "./type-index.ts";

/* What the page about the WebSocket does besides being read. Without this script, the page is the reference only. */

for (const shown of document.querySelectorAll("[data-address]")) shown.textContent = address;
for (const hidden of document.querySelectorAll<HTMLElement>("[data-script]")) hidden.hidden = false;

setUpTypeIndex();

const section = element("#console", HTMLElement);
const connection = new Connection(section.dataset.subprotocol ?? "", new FrameLog());
const editor = new Editor((frame) => connection.send(frame));

for (const button of document.querySelectorAll<HTMLElement>("[data-try]")) {
  button.addEventListener("click", () => {
    editor.show(button.dataset.try ?? "");
    section.scrollIntoView();
    editor.focus();
  });
}
