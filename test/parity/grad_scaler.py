"""torch.amp.GradScaler with the fused AdamW, as grad_scaler.test.ts asks for it: JSON in, JSON out."""
import json
import sys

import torch

job = json.load(sys.stdin)
parameters = [torch.nn.Parameter(torch.tensor(values)) for values in job["parameters"]]
optimizer = torch.optim.AdamW(parameters, lr=0.1, weight_decay=0.1, fused=True)
scaler = torch.amp.GradScaler("cpu", **job["options"])
if "load" in job:
    scaler.scale(torch.ones(()))  # makes its tensors
    scaler.load_state_dict(torch.load(job["load"])["scaler"])

steps = []
for gradients in job["gradients"]:
    optimizer.zero_grad()
    loss = sum((parameter * torch.tensor(gradient)).sum() for parameter, gradient in zip(parameters, gradients))
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    steps.append({
        "scale": scaler.get_scale(),
        "parameters": [parameter.tolist() for parameter in parameters],
        "counted": [optimizer.state[parameter]["step"].item() for parameter in parameters],
    })

if "save" in job:
    torch.save({"scaler": scaler.state_dict()}, job["save"])
json.dump({"steps": steps, "state": scaler.state_dict()}, sys.stdout)
