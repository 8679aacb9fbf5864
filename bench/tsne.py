"""Embeds the rows of a safetensors file by scikit-learn's PCA and t-SNE.

Measures the trustworthiness of these and of our points, and prints one JSON object. It needs scikit-learn and
safetensors.
"""
import json
import sys
import time

import numpy as np
from safetensors.numpy import load_file
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness

tensors = load_file(sys.argv[1])
rows = tensors["rows"]
result = {}
for name, method in {
    "pca": PCA(n_components=2, svd_solver="full"),
    "tsne": TSNE(perplexity=10, max_iter=1000, init="pca", random_state=0),
}.items():
    start = time.perf_counter()
    theirs = method.fit_transform(rows)
    seconds = time.perf_counter() - start
    result[name] = {
        "ours": float(trustworthiness(rows, tensors[name], n_neighbors=10)),
        "scikit-learn": float(trustworthiness(rows, theirs, n_neighbors=10)),
        "seconds of scikit-learn": seconds,
    }
ours, theirs = tensors["pca"], PCA(n_components=2, svd_solver="full").fit_transform(rows)
result["pca"]["largest difference but for signs"] = float(np.abs(np.abs(ours) - np.abs(theirs)).max())
print(json.dumps(result))
