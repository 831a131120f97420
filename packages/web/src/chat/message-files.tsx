import type { Message, MessageFile, Upload } from "messenger-client";
import { useMemo, useState } from "preact/hooks";
import { errorText } from "../errors.ts";
import { messenger } from "../messenger.ts";
import { showNotice } from "../ui/notice.tsx";
import { sizeText } from "./file-size.ts";
import { PictureViewer } from "./picture-viewer.tsx";
import { previewPicture } from "./preview-picture.ts";
import { useLink } from "./use-link.ts";
import "./message-files.css";

/** The largest side of a picture in a message, in CSS pixels. */
const maxSide = 320;

/** The files of a message, and the uploads of one that is not sent yet. */
export function MessageFiles({ message }: { message: Message }) {
  const [shown, setShown] = useState<MessageFile>();
  const { files = [], uploads = [], state } = message;
  const pictures = files.filter(isPicture);
  return (
    <div class="message-files">
      {files.map((file) => (
        <FileView key={file.id} file={file} onOpen={() => setShown(file)} />
      ))}
      {uploads.map((upload, index) => (
        <UploadView key={index} upload={upload} isFailed={state === "failed"} />
      ))}
      {uploads.length > 0 && state !== "failed" && (
        <button type="button" class="link-button" onClick={() => message.discard?.()}>
          Cancel
        </button>
      )}
      {shown && <PictureViewer pictures={pictures} first={shown} onClose={() => setShown(undefined)} />}
    </div>
  );
}

function UploadView({ upload, isFailed }: { upload: Upload; isFailed: boolean }) {
  const { name, size, sentBytes, isStored } = upload;
  return (
    <div class="file">
      <span class="file-name" dir="auto">
        {name}
      </span>
      <small>
        {sizeText(size)}
        {!isStored && ", keep this page open until it is sent"}
      </small>
      {!isFailed && <progress aria-label={`Upload of ${name}`} value={sentBytes} max={Math.max(1, size)} />}
    </div>
  );
}

function FileView({ file, onOpen }: { file: MessageFile; onOpen(): void }) {
  if (isPicture(file)) return <Picture file={file} onOpen={onOpen} />;
  if (file.mediaType.startsWith("video/")) return <Player file={file} kind="video" />;
  if (file.mediaType.startsWith("audio/")) return <Player file={file} kind="audio" />;
  return <Download file={file} />;
}

const isPicture = ({ mediaType, width, height }: MessageFile): boolean =>
  mediaType.startsWith("image/") && width !== null && height !== null;

/** A picture in a place of its size, with its preview until it is loaded. */
function Picture({ file, onOpen }: { file: MessageFile; onOpen(): void }) {
  const { id, name, thumbHash } = file;
  const [width, height] = [file.width ?? 1, file.height ?? 1];
  const scale = Math.min(1, maxSide / Math.max(width, height));
  const { url, renew } = useLink(id, width * scale > 160 || height * scale > 160 ? 640 : 320);
  const preview = useMemo(() => previewPicture(thumbHash), [thumbHash]);
  return (
    <button type="button" class="picture" aria-label={`Open ${name}`} onClick={onOpen}>
      <img
        alt={name}
        src={url ?? preview}
        width={Math.round(width * scale)}
        height={Math.round(height * scale)}
        // That of the preview differs a little, and the page would move when the picture comes.
        style={{ aspectRatio: `${width} / ${height}`, backgroundImage: preview && `url(${preview})` }}
        onError={renew}
      />
    </button>
  );
}

function Player({ file, kind }: { file: MessageFile; kind: "video" | "audio" }) {
  const { url, renew } = useLink(file.id);
  const Element = kind;
  return (
    <figure class="player">
      {url && <Element controls preload="metadata" src={url} aria-label={file.name} onError={renew} />}
      <figcaption>
        <Download file={file} />
      </figcaption>
    </figure>
  );
}

/** The name of a file, which saves it. The link is made when it is wanted: links end after some minutes. */
function Download({ file }: { file: MessageFile }) {
  const save = async () => {
    try {
      const url = await messenger.files.url(file.id);
      if (url === undefined) return showNotice("This file is not there any more.");
      const link = document.createElement("a");
      link.href = url;
      link.download = file.name;
      link.click();
    } catch (error) {
      showNotice(errorText(error));
    }
  };
  return (
    <button type="button" class="file" aria-label={`Save ${file.name}`} onClick={() => void save()}>
      <span class="file-name" dir="auto">
        {file.name}
      </span>
      <small>{sizeText(file.size)}</small>
    </button>
  );
}
