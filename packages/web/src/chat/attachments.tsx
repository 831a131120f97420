import { useEffect, useRef, useState } from "preact/hooks";
import { messenger } from "../messenger.ts";
import { Icon } from "../ui/icon.tsx";
import { showNotice } from "../ui/notice.tsx";
import { useObservable } from "../use-observable.ts";
import { sizeText } from "./file-size.ts";

const defaultMaxFiles = 10;

/** The files that the next message will have, from the button, the clipboard, or dropped onto the page. */
export function useAttachments(isEnabled: boolean) {
  const [files, setFiles] = useState<readonly File[]>([]);
  const limits = useObservable(messenger.info)?.limits;
  const add = (added: readonly File[]) => {
    const maxBytes = limits?.fileBytes ?? Number.POSITIVE_INFINITY;
    const maxFiles = limits?.filesPerMessage ?? defaultMaxFiles;
    const fitting = added.filter(({ size }) => size <= maxBytes);
    const all = [...files, ...fitting];
    if (fitting.length < added.length) showNotice(`A file can have at most ${sizeText(maxBytes)}.`);
    else if (all.length > maxFiles) showNotice(`A message can have at most ${maxFiles} files.`);
    setFiles(all.slice(0, maxFiles));
  };
  const latest = useRef(add);
  latest.current = add;
  useEffect(() => {
    if (!isEnabled) return;
    const onDragOver = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
    };
    const onDrop = (event: DragEvent) => {
      const dropped = [...(event.dataTransfer?.files ?? [])];
      if (dropped.length === 0) return;
      event.preventDefault();
      latest.current(dropped);
    };
    document.addEventListener("dragover", onDragOver);
    document.addEventListener("drop", onDrop);
    return () => {
      document.removeEventListener("dragover", onDragOver);
      document.removeEventListener("drop", onDrop);
    };
  }, [isEnabled]);
  return {
    files,
    add,
    remove: (file: File) => setFiles(files.filter((other) => other !== file)),
    clear: () => setFiles([]),
    onPaste: (event: ClipboardEvent) => {
      const pasted = [...(event.clipboardData?.files ?? [])];
      if (pasted.length === 0 || !isEnabled) return;
      event.preventDefault();
      add(pasted);
    },
  };
}

/** The button that opens the dialog of the browser. */
export function AttachButton({ onChoose }: { onChoose(files: readonly File[]): void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-hidden="true"
        tabIndex={-1}
        onChange={(event) => {
          onChoose([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
      <button type="button" class="icon-button" aria-label="Attach files" onClick={() => input.current?.click()}>
        <Icon name="clip" />
      </button>
    </>
  );
}

/** The chosen files, each with a button that removes it. */
export function AttachedFiles({ files, onRemove }: { files: readonly File[]; onRemove(file: File): void }) {
  if (files.length === 0) return null;
  return (
    <ul class="attached-files" aria-label="Attached files">
      {files.map((file) => (
        <li key={`${file.name} ${file.size} ${file.lastModified}`}>
          <span dir="auto">{file.name}</span> <small>{sizeText(file.size)}</small>
          <button type="button" class="icon-button" aria-label={`Remove ${file.name}`} onClick={() => onRemove(file)}>
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
