"""Trainings against plain loops written here with torch's own losses and optimisers."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.classification._trainings import Tiny, data_set
from zenn.classification import training as module
from zenn.classification.batches import Augmentation, Epoch
from zenn.classification.devices import Devices
from zenn.classification.model import build_model, loss_of
from zenn.classification.settings import TrainingSettings
from zenn.classification.training import NotFiniteError, train
from zenn.errors import InputError

CPU = torch.device("cpu")
DATA = data_set()
CE = TrainingSettings(3, 16, 0.01, weight_decay=0.1, warm_up_epochs=1)
ZENN = replace(CE, loss="cross_zentropy", backbones=2, initial_temperatures=(1.0, 4.0))


def run(settings, seed=3, data=DATA, **options):
    model = build_model(Tiny, settings, seed, CPU)
    return model, train(model, data, settings, seed, Devices(), **options)


def pixels(split, order):
    return torch.tensor((split.inputs["pixels"][order, :, :, 0] / 255 - 0.4) / 0.3, dtype=torch.float32)


def batches_of(settings, seed, epoch):
    order = Epoch.of(len(DATA.train), settings.augmentation, seed, epoch).order
    for start in range(0, len(order), settings.batch_size):
        indices = order[start : start + settings.batch_size].numpy()
        yield {"pixels": pixels(DATA.train, indices)}, torch.tensor(DATA.train.labels[indices])


def factor(step, updates, epochs):
    """One epoch of warm-up, then a half cosine."""
    if step < updates:
        return (step + 1) / updates
    return 0.5 * (1 + math.cos(math.pi * (step - updates) / (updates * (epochs - 1))))


def plain_optimiser(layer):
    groups = [{"params": [layer.weight]}, {"params": [layer.bias], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.01, weight_decay=0.1, foreach=False)


def test_cross_entropy_is_the_plain_loop():
    settings = replace(CE, label_smoothing=0.1, clipping=0.05)
    reference = build_model(Tiny, settings, 3, CPU).energy_encoder
    optimiser, step = plain_optimiser(reference.layer), 0
    losses = []
    for epoch in range(3):
        for batch, labels in batches_of(settings, 3, epoch):
            loss = functional.cross_entropy(-reference(batch), labels, label_smoothing=0.1)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(reference.parameters(), 0.05)
            for group in optimiser.param_groups:
                group["lr"] = 0.01 * factor(step, 5, 3)
            optimiser.step()
            optimiser.zero_grad()
            losses.append(float(loss.detach()) * len(labels))
            step += 1
    model, found = run(settings)
    torch.testing.assert_close(model.energy_encoder.layer.weight, reference.layer.weight)
    expected = [sum(losses[i : i + 5]) / 72 for i in (0, 5, 10)]
    assert [row["train_loss"] for row in found.history] == pytest.approx(expected, rel=1e-5)
    assert [row["step"] for row in found.history] == [5, 10, 15]
    for name in ("validation", "test"):
        split = DATA.splits[name]
        with torch.no_grad():
            E = reference({"pixels": pixels(split, np.arange(len(split)))})
        np.testing.assert_allclose(found.outputs[name].energies, E, atol=1e-4)
        assert found.outputs[name].entropies is None


def plain_loss(E, S, labels, T, omega):
    """Eqs. (10)-(13) for k_B = 1 and gamma = 100, temperature by temperature."""
    S = functional.softplus(S)
    terms = []
    for i in range(len(T)):
        logits = S - (S / 100) ** 2 - E / T[i]
        terms.append(functional.cross_entropy(logits, labels, reduction="none"))
    CZ = torch.stack(terms)
    q = torch.softmax(-omega * CZ, dim=0).detach()
    return (q * CZ).sum(dim=0).mean()


@pytest.mark.parametrize("mode", ["joint", "alternating"])
def test_both_modes_are_plain_loops(mode):
    settings = replace(ZENN, mode=mode, temperature_learning_rate=0.05, warm_up_epochs=0, schedule="constant")
    reference = build_model(Tiny, settings, 3, CPU)
    energy, entropy = reference.energy_encoder, reference.entropy_encoder
    log_T = torch.tensor([math.log(4.0)], requires_grad=True)
    optimisers = [plain_optimiser(energy.layer), plain_optimiser(entropy.layer)]
    slow = torch.optim.AdamW([log_T], lr=0.05, weight_decay=0.0)

    def descend(which):
        for optimiser in which:
            optimiser.step()
        for optimiser in (*optimisers, slow):
            optimiser.zero_grad()

    def loss(batch, labels):
        T = torch.cat([torch.ones(1), log_T.exp()])
        return plain_loss(energy(batch), entropy(batch), labels, T, 5.0)

    for epoch in range(3):
        for batch, labels in batches_of(settings, 3, epoch):
            loss(batch, labels).backward()
            if mode == "joint":
                descend([*optimisers, slow])
            else:
                descend(optimisers)  # Eq. (15)
                loss(batch, labels).backward()  # with the updated encoders
                descend([slow])  # Eq. (16)
    model, found = run(settings)
    torch.testing.assert_close(model.energy_encoder.layer.weight, energy.layer.weight)
    torch.testing.assert_close(model.entropy_encoder.layer.weight, entropy.layer.weight)
    assert found.temperatures[0] == 1
    assert found.temperatures[1] == pytest.approx(float(log_T.detach().exp()), rel=1e-5)
    assert abs(found.temperatures[1] - 4) > 0.2
    assert [row["temperature_2"] for row in found.history][-1] == found.temperatures[1]


@pytest.mark.parametrize("settings", [CE, ZENN, replace(ZENN, mode="alternating", prior="learned")])
def test_accumulation_is_a_larger_batch(settings):
    parts, found = run(replace(settings, batch_size=5, accumulation=5))  # 25 of 72 do not divide either
    assert found.history[-1]["step"] == 9
    whole, _ = run(replace(settings, batch_size=25))
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_during_the_warm_up_only_the_first_temperature_counts():
    settings = replace(ZENN, backbones=1, prior="learned", cross_entropy_warm_up=0.5)
    _, found = run(replace(settings, epochs=4))
    second = [row["temperature_2"] for row in found.history]
    assert second[0] == second[1] == 4
    assert second[2] != 4
    ce, _ = run(replace(CE, epochs=4, evaluate_every=4))
    same, _ = run(replace(settings, epochs=4, cross_entropy_warm_up=0.99))  # all but the last update
    torch.testing.assert_close(
        same.energy_encoder.layer.weight, ce.energy_encoder.layer.weight, rtol=0, atol=1e-4
    )


def test_generalised_cross_entropy():
    E, labels = torch.randn(9, 4, dtype=torch.float64).float(), torch.randint(4, (9,))
    settings = replace(CE, loss="generalised_cross_entropy", boltzmann_constant=2.0)
    p = torch.softmax(-E / 2, dim=1)[torch.arange(9), labels]
    expected = ((1 - p**0.7) / 0.7).sum()  # Zhang and Sabuncu 2018, Eq. (6)
    torch.testing.assert_close(loss_of(E, None, labels, torch.ones(1), None, settings), expected)


def test_the_moving_average_predicts():
    plain, _ = run(CE)
    averaged, found = run(replace(CE, ema=0.9))
    weight = averaged.energy_encoder.layer.weight
    assert (weight - plain.energy_encoder.layer.weight).abs().max() > 1e-3
    x = pixels(DATA.test, np.arange(40))
    with torch.no_grad():
        np.testing.assert_allclose(found.outputs["test"].energies, averaged({"pixels": x})[0], atol=1e-5)


class Killed(BaseException):
    pass


@pytest.mark.parametrize(
    "settings",
    [
        replace(CE, ema=0.9, clipping=1.0),
        replace(ZENN, mode="alternating", prior="learned", accumulation=2, cross_entropy_warm_up=0.4),
        replace(ZENN, augmentation=Augmentation(True, 1)),
    ],
)
def test_a_killed_training_ends_at_the_same_result(tmp_path, monkeypatch, settings):
    monkeypatch.setattr(module, "_WINDOW", 2)  # five batches an epoch: also within one
    path = tmp_path / "seed-3.safetensors"

    class Dropping(Tiny):
        def forward(self, batch):
            return functional.dropout(super().forward(batch), 0.2, self.training)

    def go(**options):
        model = build_model(Dropping, settings, 3, CPU)
        torch.rand(7)  # whatever was drawn before
        return model, train(model, DATA, settings, 3, Devices(), save_every=-1.0, **options)

    whole_model, whole = go()
    for stop in (2, 3, 6):

        def kill(now, stop=stop):
            if now.step >= stop:
                raise Killed

        with pytest.raises(Killed):
            go(checkpoint=path, watch=kill)
    seen = []
    model, found = go(checkpoint=path, watch=lambda now: seen.append(now.step))
    assert seen[0] > 5 // settings.accumulation
    for name, value in whole_model.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    assert found.history == whole.history
    for name in ("validation", "test"):
        np.testing.assert_array_equal(found.outputs[name].energies, whole.outputs[name].energies)
    other = replace(settings, learning_rate=0.02)
    started = build_model(Dropping, other, 3, CPU)
    with pytest.raises(InputError, match="the state of another training"):
        train(started, DATA, other, 3, Devices(), checkpoint=path)
    assert go(checkpoint=path, watch=lambda now: seen.append(-1))[1].history == whole.history
    assert -1 not in seen  # what has ended is not trained again


def test_a_loss_that_is_not_finite_names_step_batch_and_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_WINDOW", 1)
    path = tmp_path / "seed-3.safetensors"
    wild = replace(CE, learning_rate=1e38, warm_up_epochs=0, weight_decay=0)
    with pytest.raises(NotFiniteError) as caught:
        run(wild, checkpoint=path, save_every=-1.0)
    second = Epoch.of(72, Augmentation(), 3, 0).order[16:32].tolist()
    text = str(caught.value)
    assert "in update 2, batch 2 of epoch 1" in text
    assert ", ".join(map(str, second)) in text
    assert f"Last good checkpoint: {path}" in text
    with pytest.raises(NotFiniteError, match="none was written yet"):
        run(wild)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"epochs": 0}, "epochs"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"ema": 1.0}, "ema"),
        ({"backbones": 3}, "backbones"),
        ({"backbones": 2}, "with the loss cross_entropy"),
        ({"initial_temperatures": (1.0, 5.0)}, "initial_temperatures"),
        ({"loss": "generalised_cross_entropy", "label_smoothing": 0.1}, "label_smoothing"),
        ({"omega": -1.0}, "omega"),
    ],
)
def test_settings_that_cannot_be(change, told):
    with pytest.raises(InputError, match=told):
        replace(CE, **change).check()


@pytest.mark.parametrize("initial", [(), (1.0, 1.0), (1.0, -2.0)])
def test_temperatures_that_cannot_be(initial):
    with pytest.raises(InputError, match="initial"):
        build_model(Tiny, replace(ZENN, initial_temperatures=initial), 1, CPU)
