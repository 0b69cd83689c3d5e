"""PyTorch as a peer: reads requests from stdin, one JSON line each, and answers on stdout.

A request to prepare a task is followed by the bytes of its arrays; an answer that holds numbers is followed by them.
Timing happens here, so that talking costs nothing. Its one argument is the device, 'cpu' or 'cuda': operands and parameters
stay there, batches come from the host in every run.
"""
import json
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
device = torch.device(sys.argv[1])
# Products of float32 are to be just that, not of the 19 bits that tensor cores take.
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer


def read_arrays(described):
    arrays = {}
    for entry in described:
        data = stdin.read(entry["bytes"])
        array = np.frombuffer(bytearray(data), dtype=entry["dtype"]).reshape(entry["shape"])
        arrays[entry["name"]] = torch.from_numpy(array)
    return arrays


def channels_first(x):
    return x.permute(0, 3, 1, 2).contiguous()


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def outputs_first(w):
    return w.permute(3, 2, 0, 1).contiguous()


def convolution(task, t):
    pad = (task["window"] - 1) // 2
    images = (task["batch"], task["channels"], task["size"], task["size"])
    weights = (task["filters"], task["channels"], task["window"], task["window"])
    x, w, dy = (
        channels_first(t["x"]) if "x" in t else torch.empty(images, device=device),
        outputs_first(t["filter"]) if "filter" in t else torch.empty(weights, device=device),
        channels_first(t["dy"]) if "dy" in t else None,
    )
    if task["pass"] == "forward":
        return lambda: F.conv2d(x, w, padding=pad), channels_last
    wanted = [task["pass"] == "toInput", task["pass"] == "toFilter", False]

    def backward():
        return torch.ops.aten.convolution_backward(
            dy, x, w, None, [1, 1], [pad, pad], [1, 1], False, [0, 0], 1, wanted
        )[wanted.index(True)]

    return backward, channels_last if wanted[0] else lambda dw: dw.permute(2, 3, 1, 0)


def computation(task, t):
    """The function that is timed, and how its answer is put in the order of Shoal."""
    same = lambda y: y
    kind = task["kind"]
    if kind == "matmul":
        a = t["a"].T if task["transposeA"] else t["a"]
        b = t["b"].T if task["transposeB"] else t["b"]
        return lambda: a @ b, lambda y: y.float()
    if kind == "multiplyAdd":
        return lambda: t["a"] * t["b"] + t["c"], same
    if kind == "gatedSum":
        return lambda: (torch.tanh(t["a"] * t["b"] + t["c"]) * torch.sigmoid(t["d"])).sum(), same
    if kind == "softmax":
        return lambda: F.softmax(t["x"], -1), same
    if kind == "layerNorm":
        return lambda: F.layer_norm(t["x"], (task["columns"],), t["scale"], t["offset"], 1e-5), same
    if kind == "sum":
        return lambda: t["x"].sum(task["axis"]), same
    if kind == "conv":
        return convolution(task, t)
    if kind == "depthwise":
        x, w = channels_first(t["x"]), t["filter"].permute(2, 3, 0, 1).contiguous()
        return lambda: F.conv2d(x, w, padding=(task["window"] - 1) // 2, groups=task["channels"]), channels_last
    if kind == "adds":

        def chain():
            x = torch.tensor(1.0, device=device)
            y = x
            for _ in range(task["length"]):
                y = y + x
            return y.item()

        return chain, torch.tensor
    raise ValueError(kind)


class LstmModel(torch.nn.Module):
    def __init__(self, p):
        super().__init__()
        self.cell = torch.nn.LSTM(28, 128, batch_first=True)
        with torch.no_grad():
            self.cell.weight_ih_l0.copy_(p["wx"].T)
            self.cell.weight_hh_l0.copy_(p["wh"].T)
            self.cell.bias_ih_l0.copy_(p["b"])
            self.cell.bias_hh_l0.zero_()
        # The second bias adds nothing to a model that has the first.
        self.cell.bias_hh_l0.requires_grad_(False)
        self.last = dense(p["w"], p["bo"])

    def forward(self, x):
        _, (h, _) = self.cell(x)
        return self.last(h[0])


def dense(w, b):
    layer = torch.nn.Linear(*w.shape)
    with torch.no_grad():
        layer.weight.copy_(w.T)
        layer.bias.copy_(b)
    return layer


def conv_layer(f, c):
    layer = torch.nn.Conv2d(f.shape[2], f.shape[3], f.shape[0], padding=(f.shape[0] - 1) // 2)
    with torch.no_grad():
        layer.weight.copy_(outputs_first(f))
        layer.bias.copy_(c)
    return layer


def model_of(name, p):
    nn = torch.nn
    if name == "mlp":
        return nn.Sequential(
            dense(p["w1"], p["b1"]), nn.ReLU(), dense(p["w2"], p["b2"]), nn.ReLU(), dense(p["w3"], p["b3"])
        )
    if name == "lenet":
        w1 = p["w1"].reshape(7, 7, 64, 256).permute(2, 0, 1, 3).reshape(3136, 256)
        return nn.Sequential(
            conv_layer(p["f1"], p["c1"]), nn.ReLU(), nn.MaxPool2d(2),
            conv_layer(p["f2"], p["c2"]), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), dense(w1, p["b1"]), nn.ReLU(), dense(p["w2"], p["b2"]),
        )
    if name == "lstm":
        return LstmModel(p)
    return dense(p["w"], p["b"])


def optimizer_of(settings, parameters):
    trained = [p for p in parameters if p.requires_grad]
    if settings["optimizer"] == "adam":
        return torch.optim.Adam(trained, settings["rate"], eps=1e-8)
    return torch.optim.SGD(trained, settings["rate"], momentum=0.9 if settings["optimizer"] == "momentum" else 0)


def model_runs(task, t):
    batch = channels_first(t.pop("x")) if task["model"] == "lenet" else t.pop("x")
    classes = t.pop("labels").long()
    model = model_of(task["model"], t).to(device)
    if task["kind"] == "infer":
        model.eval()

        def predict():
            with torch.inference_mode():
                return F.softmax(model(batch.to(device)), -1).to("cpu")

        return predict, predict
    optimizer = optimizer_of(task["training"], model.parameters())

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(batch.to(device)), classes.to(device))
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, lambda: torch.tensor([step() for _ in range(3)])


def prepare(task, t):
    """The function that is timed, and the one that answers."""
    if task["kind"] in ("train", "infer"):
        return model_runs(task, t)
    dtype = getattr(torch, task.get("dtype", "float32"))
    run, restore = computation(task, {name: x.to(device, dtype) for name, x in t.items()})
    return run, lambda: restore(run())


def interruptions():
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def sample(run, repeats):
    """Milliseconds of a run: by the clock, or the processor time where the system interrupted it and nothing was waited for."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    before, processor, start = interruptions(), time.process_time(), time.perf_counter()
    for _ in range(repeats):
        run()
    if device.type == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    if device.type == "cpu" and interruptions() != before:
        seconds = min(seconds, time.process_time() - processor)
    return seconds * 1000 / repeats


def answer(head, data=b""):
    stdout.write(json.dumps({**head, "bytes": len(data)}).encode() + b"\n" + data)
    stdout.flush()


def main():
    version = f"PyTorch {torch.__version__.split('+')[0]}"
    answer({"version": f"{version} on {torch.cuda.get_device_name()}" if device.type == "cuda" else version})
    sides = {}
    for line in iter(stdin.readline, b""):
        request = json.loads(line)
        side = request["side"]
        if request["ask"] == "prepare":
            sides[side] = prepare(request["task"], read_arrays(request["arrays"]))
            answer({})
        elif request["ask"] == "sample":
            answer({"ms": sample(sides[side][0], request["repeats"])})
        elif request["ask"] == "result":
            answer({}, sides[side][1]().detach().contiguous().cpu().numpy().astype("<f4").tobytes())
        else:
            del sides[side]
            answer({})


main()
