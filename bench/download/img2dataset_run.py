"""Downloads a tsv with img2dataset: FILE DIR FORMAT PROCESSES."""

import sys

from img2dataset import download

if __name__ == "__main__":
    file, folder, encoding, processes = sys.argv[1:]
    download(
        url_list=file,
        input_format="tsv",
        url_col="url",
        caption_col="caption",
        output_folder=folder,
        output_format="files",
        processes_count=int(processes),
        thread_count=64,
        image_size=224,
        resize_mode="center_crop",
        resize_only_if_bigger=False,
        upscale_interpolation="cubic",
        downscale_interpolation="cubic",
        encode_format=encoding,
        encode_quality=95 if encoding == "jpg" else 6,
        number_sample_per_shard=500,
        timeout=10,
        retries=2,
        enable_wandb=False,
    )
