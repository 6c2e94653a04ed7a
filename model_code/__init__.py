"""Machine learning of the product: data, networks, training, evaluation, serving.

Knows nothing of Kubeflow; `components` are its doors (docs/adr/0001).
"""
