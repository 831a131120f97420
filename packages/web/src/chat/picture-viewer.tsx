import type { MessageFile } from "messenger-client";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Dialog } from "../ui/dialog.tsx";
import { Icon } from "../ui/icon.tsx";
import { previewPicture } from "./preview-picture.ts";
import { useLink } from "./use-link.ts";

const zoomSteps = [1, 1.5, 2, 3, 4] as const;

/** Pictures over the page: arrows go from one to the next, plus, minus and a double click zoom, Escape closes. */
export function PictureViewer(props: { pictures: readonly MessageFile[]; first: MessageFile; onClose(): void }) {
  const { pictures, first, onClose } = props;
  const [index, setIndex] = useState(Math.max(0, pictures.indexOf(first)));
  const [zoom, setZoom] = useState(0);
  const stage = useRef<HTMLDivElement>(null);
  const file = pictures[index] ?? first;
  const { url, renew } = useLink(file.id);
  const preview = useMemo(() => previewPicture(file.thumbHash), [file]);
  const go = (step: number) => {
    setIndex((index + step + pictures.length) % pictures.length);
    setZoom(0);
  };
  const zoomBy = (step: number) => setZoom(Math.min(zoomSteps.length - 1, Math.max(0, zoom + step)));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowRight") go(1);
    else if (event.key === "ArrowLeft") go(-1);
    else if (event.key === "+" || event.key === "=") zoomBy(1);
    else if (event.key === "-") zoomBy(-1);
    else return;
    event.preventDefault();
  };
  // What is in the middle stays there.
  useLayoutEffect(() => {
    const { current } = stage;
    if (!current) return;
    current.scrollLeft = (current.scrollWidth - current.clientWidth) / 2;
    current.scrollTop = (current.scrollHeight - current.clientHeight) / 2;
  }, [zoom, index]);
  const side = `${(zoomSteps[zoom] ?? 1) * 100}%`;
  return (
    <Dialog title={file.name} class="viewer" onClose={onClose} onKeyDown={onKeyDown}>
      <div class="picture-viewer">
        <div class="picture-stage" ref={stage}>
          <img
            key={file.id}
            alt={file.name}
            src={url ?? preview}
            style={{ width: side, height: side, backgroundImage: preview && `url(${preview})` }}
            onDblClick={() => setZoom(zoom === 0 ? 2 : 0)}
            onLoad={(event) => {
              if (url) event.currentTarget.style.backgroundImage = "none";
            }}
            onError={renew}
          />
        </div>
        <p class="picture-buttons">
          {pictures.length > 1 && <ViewerButton name="Previous" icon="back" onClick={() => go(-1)} />}
          <ViewerButton name="Zoom out" icon="minus" isDisabled={zoom === 0} onClick={() => zoomBy(-1)} />
          <ViewerButton
            name="Zoom in"
            icon="plus"
            isDisabled={zoom === zoomSteps.length - 1}
            onClick={() => zoomBy(1)}
          />
          {pictures.length > 1 && <ViewerButton name="Next" icon="next" onClick={() => go(1)} />}
        </p>
      </div>
    </Dialog>
  );
}

function ViewerButton(props: {
  name: string;
  icon: "back" | "next" | "plus" | "minus";
  isDisabled?: boolean;
  onClick(): void;
}) {
  const { name, icon, isDisabled = false, onClick } = props;
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={name}
      title={name}
      aria-disabled={isDisabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
