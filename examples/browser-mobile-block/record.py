"""Records the PyTorch side: `swa-align recorder > recorder.py`, then `python3 record.py`."""

import torch
from torch import nn

from recorder import Recorder


class Layer(nn.Sequential):
    def __init__(self, inside, outside, kernel, **convolution):
        super().__init__()
        padding = kernel // 2
        self.conv = nn.Conv2d(inside, outside, kernel, padding=padding, bias=False, **convolution)
        self.bn, self.act = nn.BatchNorm2d(outside), nn.Hardswish()


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.depthwise = Layer(3, 8, 3, stride=2), Layer(8, 8, 3, groups=8)
        self.pointwise, self.fc = Layer(8, 16, 1), nn.Linear(16, 5)

    def forward(self, x):
        return self.fc(self.pointwise(self.depthwise(self.stem(x))).mean((2, 3)))


torch.manual_seed(11)
model = Network()
for module in model.modules():
    # As after training: of a norm's zeros and ones a port could forget to make use.
    if isinstance(module, nn.BatchNorm2d):
        for tensor in (module.weight, module.running_var):
            nn.init.uniform_(tensor, 0.5, 2.0)
        for tensor in (module.bias, module.running_mean):
            nn.init.normal_(tensor, 0.0, 0.3)
recorder = Recorder(model)
recorder.evaluate(torch.randn(2, 3, 16, 16))
recorder.save("ref")
