import type { MessageFile } from "messenger-client";
import { useState } from "preact/hooks";
import { Dialog } from "../ui/dialog.tsx";
import { useLink } from "./use-link.ts";

const zoomSteps = [1, 1.5, 2, 3, 4] as const;

/** Pictures over the page: arrows go from one to the next, plus, minus and a double click zoom, Escape closes. */
export function PictureViewer(props: { pictures: readonly MessageFile[]; first: MessageFile; onClose(): void }) {
  const { pictures, first, onClose } = props;
  const [index, setIndex] = useState(Math.max(0, pictures.indexOf(first)));
  const [zoom, setZoom] = useState(0);
  const file = pictures[index] ?? first;
  const { url, renew } = useLink(file.id);
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
  return (
    <Dialog title={file.name} onClose={onClose}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys of the dialog; its buttons do the same */}
      <div class="picture-viewer" onKeyDown={onKeyDown}>
        <div class="picture-stage">
          {url && (
            <img
              alt={file.name}
              src={url}
              style={{ width: `${(zoomSteps[zoom] ?? 1) * 100}%` }}
              onDblClick={() => setZoom(zoom === 0 ? 2 : 0)}
              onError={renew}
            />
          )}
        </div>
        <p class="picture-buttons">
          {pictures.length > 1 && (
            <>
              <button type="button" onClick={() => go(-1)}>
                Previous
              </button>
              <button type="button" onClick={() => go(1)}>
                Next
              </button>
            </>
          )}
          <button type="button" aria-disabled={zoom === 0} onClick={() => zoomBy(-1)}>
            Smaller
          </button>
          <button type="button" aria-disabled={zoom === zoomSteps.length - 1} onClick={() => zoomBy(1)}>
            Larger
          </button>
        </p>
      </div>
    </Dialog>
  );
}
