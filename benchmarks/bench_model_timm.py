"""A training step of timm's network on PyTorch; `bench_model.py` runs it.

Needs an environment with timm and PyTorch and nothing of ours. Each line on
standard input asks for one step; its seconds come back as a line.
"""

import json
import sys
import time

import timm
import torch


def main() -> None:
    """Build the network that the arguments name, then step on demand."""
    name, image_size, batch_size, classes = sys.argv[1], *map(int, sys.argv[2:5])
    torch.manual_seed(0)
    model = timm.create_model(
        name, num_classes=classes, drop_rate=0.2, drop_path_rate=0.2
    )
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    images = torch.rand(batch_size, 3, image_size, image_size)
    labels = torch.randint(0, classes, (batch_size,))
    for _ in sys.stdin:
        started = time.perf_counter()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
        print(json.dumps(time.perf_counter() - started), flush=True)


if __name__ == "__main__":
    main()
