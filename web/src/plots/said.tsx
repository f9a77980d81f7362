/** A text in quotation marks, whatever its direction: what stands beside it stays where it is. */
export function Said({ text }: { readonly text: string | undefined }) {
  return (
    <q>
      <bdi>{text}</bdi>
    </q>
  );
}
