import { type AvatarOwner, removeAvatar, setAvatar } from "messenger-client/account";
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { CropDialog } from "../lazy-pages.tsx";
import { messenger } from "../messenger.ts";
import { ErrorNote } from "../ui/error-note.tsx";
import { useObservable } from "../use-observable.ts";
import { decodePicture, pictureErrorText, pictureTypes } from "./pictures.ts";
import "./avatars.css";

interface AvatarEditorProps {
  /** As it is now. */
  avatar: ComponentChildren;
  hasPicture: boolean;
  /** A group; the user without it. */
  owner?: AvatarOwner;
}

/** An avatar, with buttons to choose and to remove its picture. */
export function AvatarEditor({ avatar, hasPicture, owner }: AvatarEditorProps) {
  const info = useObservable(messenger.info);
  const [picture, setPicture] = useState<ImageBitmap>();
  const [error, setError] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  const chooseButton = useRef<HTMLButtonElement>(null);
  const isUnavailable = info !== undefined && !info.features.includes("avatars");
  const run = async (work: () => Promise<void>) => {
    setError(undefined);
    try {
      await work();
    } catch (failure) {
      setError(pictureErrorText(failure));
    }
  };
  const close = () => {
    picture?.close();
    setPicture(undefined);
  };
  return (
    <div class="avatar-editor">
      {avatar}
      <div class="avatar-buttons">
        {isUnavailable ? (
          <p class="hint">This server cannot convert pictures, so initials are shown.</p>
        ) : (
          <button type="button" class="button" ref={chooseButton} onClick={() => input.current?.click()}>
            {hasPicture ? "Change picture" : "Choose picture"}
          </button>
        )}
        {hasPicture && (
          <button
            type="button"
            class="button"
            onClick={() => {
              // This button goes.
              chooseButton.current?.focus();
              void run(() => removeAvatar(messenger, owner));
            }}
          >
            Remove picture
          </button>
        )}
      </div>
      {error && <ErrorNote>{error}</ErrorNote>}
      <input
        ref={input}
        type="file"
        accept={pictureTypes.join()}
        hidden
        aria-hidden="true"
        tabIndex={-1}
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          event.currentTarget.value = "";
          if (file) void run(async () => setPicture(await decodePicture(file)));
        }}
      />
      {picture && (
        <CropDialog picture={picture} save={(square) => setAvatar(messenger, square, owner)} onClose={close} />
      )}
    </div>
  );
}
