/** A square part of a picture: its middle in pixels of the picture, and how often it fits into the shorter side. */
export interface Crop {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

export const maxZoom = 5;
/** Width and height of what is drawn. */
export const cropSide = 512;
const jpegQuality = 0.92;

/** The largest square, in the middle. */
export const middleOf = ({ width, height }: Size): Crop => ({ x: width / 2, y: height / 2, zoom: 1 });

/** Moves the picture below the square, by parts of the square's side. */
export function move(size: Size, crop: Crop, right: number, down: number): Crop {
  const side = sideOf(size, crop);
  return inside(size, { ...crop, x: crop.x - right * side, y: crop.y - down * side });
}

export const zoomTo = (size: Size, crop: Crop, zoom: number): Crop =>
  inside(size, { ...crop, zoom: clamp(zoom, 1, maxZoom) });

/** Draws the square. What is transparent becomes white. */
export function draw(canvas: HTMLCanvasElement, picture: ImageBitmap, crop: Crop): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const side = sideOf(picture, crop);
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, cropSide, cropSide);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, crop.x - side / 2, crop.y - side / 2, side, side, 0, 0, cropSide, cropSide);
}

/** What is drawn, as a JPEG. */
export const toJpeg = (canvas: HTMLCanvasElement): Promise<Blob> =>
  new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("the picture cannot be encoded"))),
      "image/jpeg",
      jpegQuality,
    );
  });

const sideOf = ({ width, height }: Size, { zoom }: Crop): number => Math.min(width, height) / zoom;

function inside(size: Size, crop: Crop): Crop {
  const half = sideOf(size, crop) / 2;
  return { ...crop, x: clamp(crop.x, half, size.width - half), y: clamp(crop.y, half, size.height - half) };
}

const clamp = (value: number, min: number, max: number): number => Math.min(Math.max(value, min), max);
