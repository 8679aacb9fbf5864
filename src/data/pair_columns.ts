/** The columns of pairs, as the flags `--image_key`, `--caption_key`, `--delimiter` and `--columns` name them. */
export interface PairColumns {
  /**
   * name of the column of image paths, which are relative to the folder of the csv, or of images in a parquet; the
   * extension of images in a tar; default `image`, which in a tar is any image
   */
  imageKey?: string;
  /**
   * name of the column of captions; in a tar the field of the json, or the extension of a text; default `caption`,
   * which in a tar is the .txt, or else that field
   */
  captionKey?: string;
  /** one character between fields; the two characters `\t` mean a tab; default `,` */
  delimiter?: string;
  /**
   * column names of a file without a header, in their order, separated by commas, such as `caption,image`; default: the
   * first row of the file names the columns
   */
  columns?: string;
  /**
   * also read the columns `augmented_<imageKey>` and `augmented_<captionKey>` of a csv, of which there is one at least,
   * as the views of training with `inmodal`; default false
   */
  augmentedColumns?: boolean;
}
