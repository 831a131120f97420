import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { type Crop, cropSide, draw, maxZoom, middleOf, move, toJpeg, zoomTo } from "./crop.ts";
import { pictureErrorText } from "./pictures.ts";

/** Of a key press, in parts of the square. */
const step = 0.05;
const zoomFactor = 1.1;

interface CropDialogProps {
  picture: ImageBitmap;
  save(square: Blob): Promise<void>;
  onClose(): void;
}

/** Chooses the square of a picture that is shown. */
export function CropDialog({ picture, save, onClose }: CropDialogProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [crop, setCrop] = useState(() => middleOf(picture));
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const [hintId, zoomId] = [useId(), useId()];
  const stage = useStage({
    onMove: (right, down) => setCrop((before) => move(picture, before, right, down)),
    onZoom: (factor) => setCrop((before) => zoomTo(picture, before, before.zoom * factor)),
  });
  useLayoutEffect(() => {
    if (canvas.current) draw(canvas.current, picture, crop);
  }, [picture, crop]);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy || !canvas.current) return;
    setBusy(true);
    setError(undefined);
    try {
      await save(await toJpeg(canvas.current));
      onClose();
    } catch (failure) {
      setError(pictureErrorText(failure));
      setBusy(false);
    }
  };
  return (
    <Dialog title="Crop picture" onClose={onClose}>
      <form onSubmit={submit}>
        <div
          class="crop-stage"
          role="application"
          aria-label="Part of the picture"
          aria-describedby={hintId}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved with the keyboard
          tabIndex={0}
          autofocus
          {...stage}
        >
          <canvas ref={canvas} width={cropSide} height={cropSide} />
        </div>
        <p id={hintId} class="hint">
          Drag the picture, or move it with the arrow keys. Plus and minus zoom.
        </p>
        <div class="crop-zoom">
          <label for={zoomId}>Zoom</label>
          <input
            id={zoomId}
            type="range"
            min={1}
            max={maxZoom}
            step={0.01}
            value={crop.zoom}
            aria-valuetext={`${Math.round(crop.zoom * 100)} %`}
            onInput={(event) => {
              const zoom = event.currentTarget.valueAsNumber;
              setCrop((before: Crop) => zoomTo(picture, before, zoom));
            }}
          />
        </div>
        {error && <ErrorNote>{error}</ErrorNote>}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button button-primary" aria-disabled={isBusy}>
            Use picture
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface Point {
  x: number;
  y: number;
}

/** Moves and zooms with pointers, two fingers, the wheel and keys. `right` and `down` are parts of the width of the stage. */
function useStage({ onMove, onZoom }: { onMove(right: number, down: number): void; onZoom(factor: number): void }) {
  const pointers = useRef(new Map<number, Point>()).current;
  return {
    onPointerDown(event: PointerEvent & { currentTarget: HTMLElement }) {
      event.currentTarget.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    },
    onPointerMove(event: PointerEvent & { currentTarget: HTMLElement }) {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const now = { x: event.clientX, y: event.clientY };
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      // Of two fingers, each moves the point between them by half.
      const width = event.currentTarget.clientWidth * (other ? 2 : 1);
      if (other) onZoom(distance(now, other) / Math.max(1, distance(before, other)));
      onMove((now.x - before.x) / width, (now.y - before.y) / width);
      pointers.set(event.pointerId, now);
    },
    onLostPointerCapture(event: PointerEvent) {
      pointers.delete(event.pointerId);
    },
    onWheel(event: WheelEvent) {
      event.preventDefault();
      onZoom(event.deltaY < 0 ? zoomFactor : 1 / zoomFactor);
    },
    onKeyDown(event: KeyboardEvent) {
      const action = keys[event.key];
      if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const [right, down, factor] = action;
      onMove(right * step, down * step);
      onZoom(factor);
    },
  };
}

/** What keys do: how the picture moves, and what the zoom is multiplied by. */
const keys: Readonly<Record<string, readonly [right: number, down: number, factor: number]>> = {
  ArrowLeft: [-1, 0, 1],
  ArrowRight: [1, 0, 1],
  ArrowUp: [0, -1, 1],
  ArrowDown: [0, 1, 1],
  "+": [0, 0, zoomFactor],
  "=": [0, 0, zoomFactor],
  "-": [0, 0, 1 / zoomFactor],
};

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
