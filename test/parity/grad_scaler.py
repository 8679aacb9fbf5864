"""torch.amp.GradScaler with the fused AdamW, as grad_scaler.test.ts asks for it: JSON in, JSON out."""

import json
import sys

import torch


def run(parameters, gradients, options, load=None, save=None):
    parameters = [torch.nn.Parameter(torch.tensor(values, dtype=torch.float32)) for values in parameters]
    optimizer = torch.optim.AdamW(parameters, lr=0.1, weight_decay=0.1, fused=True)
    scaler = torch.amp.GradScaler("cpu", **options)
    if load is not None:
        scaler.load_state_dict(torch.load(load)["scaler"])

    steps = []
    for each in gradients:
        optimizer.zero_grad()
        loss = sum(
            (parameter * torch.tensor(gradient, dtype=torch.float32)).sum()
            for parameter, gradient in zip(parameters, each)
        )
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        steps.append(
            {
                "scale": scaler.get_scale(),
                "parameters": [parameter.tolist() for parameter in parameters],
                "counted": [optimizer.state[parameter]["step"].item() for parameter in parameters],
            }
        )
    if save is not None:
        torch.save({"scaler": scaler.state_dict()}, save)
    return steps


json.dump([run(**job) for job in json.load(sys.stdin)], sys.stdout)
