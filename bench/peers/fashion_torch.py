"""The MLP on Fashion-MNIST with PyTorch: arguments are the folder of the data and the number of epochs."""
import gzip
import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(1)
folder, epochs = sys.argv[1], int(sys.argv[2])


def read(name, header):
    with gzip.open(f"{folder}/{name}") as file:
        return torch.from_numpy(np.frombuffer(bytearray(file.read()[header:]), dtype=np.uint8))


def read_set(part):
    return read(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 784), read(f"{part}-labels-idx1-ubyte.gz", 8)


nn = torch.nn
model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
images, labels = read_set("train")
seconds = []
for _ in range(epochs):
    start = time.perf_counter()
    for batch in torch.randperm(len(images)).split(128):
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(images[batch].float() / 255), labels[batch].long()).backward()
        optimizer.step()
    seconds.append(time.perf_counter() - start)
with open("/proc/self/statm") as file:
    megabytes = int(file.read().split()[1]) * 4096 / 1e6
test_images, test_labels = read_set("t10k")
with torch.inference_mode():
    accuracy = (model(test_images.float() / 255).argmax(-1) == test_labels).float().mean().item()
print(json.dumps({"seconds": seconds, "megabytes": megabytes, "accuracy": accuracy}))
