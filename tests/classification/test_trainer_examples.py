"""The loss in three training loops that people have: a plain one, transformers' Trainer, and one as in timm.

Each is an example to copy, and is compared with the same loop around somebody else's cross-entropy, which the
loss has to be for S = 0 and T = 1, or around a step written out.
"""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from zenn.classification.classifier import ZentropyClassifier
from zenn.classification.encoders._torchvision import import_timm, import_transformers
from zenn.classification.loss import CrossZentropyLoss, cross_zentropy
from zenn.classification.outputs import Outputs, marginal
from zenn.classification.temperatures import TemperatureSet, parameter_groups

K = 3


def assert_same_parameters(ours, theirs, **tolerance):
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, msg=name, **tolerance)


# A plain loop


def points():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(120, 4, generator=random)
    return x, x[:, :K].argmax(1)


def plain_loop(model, loss, optimiser, steps):
    """Joint step on everything, as of any torch loss."""
    x, y = points()
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        value = loss(*model(x), y)
        value.backward()
        optimiser.step()
        losses.append(float(value.detach()))
    return losses


def test_plain_loop():
    torch.manual_seed(0)
    energies, entropies = (nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, K)) for _ in range(2))
    model = ZentropyClassifier(energies, entropies, TemperatureSet([1.0, 5.0]))
    loss = CrossZentropyLoss(model.temperatures, omega=5.0)
    groups = parameter_groups(model, lr=0.02, weight_decay=0.01, temperature_lr=0.01)
    losses = plain_loop(model, loss, torch.optim.AdamW(groups), steps=80)
    assert losses[-1] < 0.3 * losses[0]
    x, y = points()
    assert float((model.predict(x) == y).float().mean()) > 0.9
    found = model.temperatures.values.detach()
    assert found[0] == 1.0
    assert found[1] != 5.0


def test_plain_loop_is_that_of_cross_entropy_in_the_limit():
    torch.manual_seed(0)
    ours = nn.Linear(4, K)
    theirs = copy.deepcopy(ours)
    model = ZentropyClassifier(ours, None, TemperatureSet())
    plain_loop(model, CrossZentropyLoss(model.temperatures), torch.optim.SGD(ours.parameters(), 0.5), 20)
    x, y = points()
    optimiser = torch.optim.SGD(theirs.parameters(), 0.5)
    for _ in range(20):
        optimiser.zero_grad()
        nn.functional.cross_entropy(-theirs(x), y).backward()
        optimiser.step()
    assert_same_parameters(ours, theirs)


# transformers' Trainer


class Language(nn.Module):
    """A tiny Llama that answers with one number per class."""

    def __init__(self):
        super().__init__()
        transformers = import_transformers()
        self.llama = transformers.LlamaForSequenceClassification(
            transformers.LlamaConfig(
                vocab_size=20,
                hidden_size=16,
                intermediate_size=32,
                num_hidden_layers=1,
                num_attention_heads=2,
                num_labels=K,
                pad_token_id=0,
            )
        )

    def forward(self, batch):
        return self.llama(**batch).logits


class ForTrainer(nn.Module):
    """Trainer calls a model with keywords and hands its dictionary to `compute_loss_func`."""

    def __init__(self, classifier):
        super().__init__()
        self.classifier = classifier

    def forward(self, input_ids, attention_mask, labels=None):
        energies, entropies = self.classifier({"input_ids": input_ids, "attention_mask": attention_mask})
        return {"energies": energies, "entropies": entropies}


def sentences(number):
    random = torch.Generator().manual_seed(1)
    ids = torch.randint(1, 20, (number, 6), generator=random)
    mask = torch.ones_like(ids)
    mask[::3, 4:] = 0
    return [
        {"input_ids": ids[i] * mask[i], "attention_mask": mask[i], "labels": ids[i, 0] % K}
        for i in range(number)
    ]


def language_classifier():
    torch.manual_seed(0)
    return ForTrainer(ZentropyClassifier(Language(), Language(), TemperatureSet([1.0, 5.0])))


def groups_of(model):
    return parameter_groups(model, lr=1e-2, weight_decay=0.01, temperature_lr=1e-2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model that Trainer trained: six steps of two accumulated batches, which together are all samples."""
    transformers = import_transformers()
    model, data = language_classifier(), sentences(8)
    temperatures = model.classifier.temperatures

    def compute_loss(outputs, labels, num_items_in_batch=None):
        """The sum over a batch, over the number of samples in all batches that are accumulated."""
        found = cross_zentropy(
            outputs["energies"], outputs["entropies"], labels, temperatures.values, omega=5.0, reduction="sum"
        )
        return found / (len(labels) if num_items_in_batch is None else num_items_in_batch)

    trainer = transformers.Trainer(
        model=model,
        args=transformers.TrainingArguments(
            output_dir=str(tmp_path_factory.mktemp("trainer")),
            max_steps=6,
            per_device_train_batch_size=4,
            gradient_accumulation_steps=2,
            lr_scheduler_type="constant",
            max_grad_norm=0.0,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
        ),
        train_dataset=data,
        compute_loss_func=compute_loss,
        optimizers=(torch.optim.AdamW(groups_of(model)), None),
    )
    trainer.train()
    return trainer, model, data


def test_trainer_takes_the_steps_of_a_plain_loop(trained):
    _, model, data = trained
    expected = language_classifier()
    optimiser = torch.optim.AdamW(groups_of(expected))
    batch = {name: torch.stack([one[name] for one in data]) for name in data[0]}
    loss = CrossZentropyLoss(expected.classifier.temperatures, omega=5.0)
    for _ in range(6):
        optimiser.zero_grad()
        outputs = expected(**batch)
        loss(outputs["energies"], outputs["entropies"], batch["labels"]).backward()
        optimiser.step()
    assert_same_parameters(model, expected, rtol=1e-3, atol=1e-4)
    assert float(model.classifier.temperatures.values.detach()[1]) != 5.0


def test_trainer_predicts_what_the_protocols_need(trained):
    trainer, model, data = trained
    energies, entropies = trainer.predict(data).predictions
    stored = Outputs(energies, entropies, model.classifier.temperatures.values.detach().numpy())
    batch = {name: torch.stack([one[name] for one in data]) for name in ("input_ids", "attention_mask")}
    found = model.classifier.predict_proba(batch)
    np.testing.assert_allclose(found, np.exp(marginal(stored)), rtol=1e-4, atol=1e-6)


# A loop as in timm


class Image(nn.Module):
    """A tiny vision transformer of timm."""

    def __init__(self):
        super().__init__()
        import_timm()
        from timm.models.vision_transformer import VisionTransformer

        self.vit = VisionTransformer(
            img_size=16, patch_size=8, embed_dim=16, depth=1, num_heads=2, num_classes=K
        )

    def forward(self, pixels):
        return self.vit(pixels)


def images():
    random = torch.Generator().manual_seed(2)
    labels = torch.randint(K, (32,), generator=random)
    pixels = 0.3 * torch.randn(32, 3, 16, 16, generator=random)
    return pixels + torch.nn.functional.one_hot(labels, K)[:, :, None, None], labels


def timm_loop(model, loss, groups, epochs):
    """Mixup, optimiser and schedule of timm; `loss` of the model's outputs and soft targets."""
    from timm.data import Mixup
    from timm.optim import create_optimizer_v2
    from timm.scheduler import create_scheduler_v2

    np.random.seed(0)  # noqa: NPY002  # Mixup draws from it
    mixup = Mixup(mixup_alpha=0.4, num_classes=K, label_smoothing=0.1)
    optimiser = create_optimizer_v2(groups, opt="adamw", lr=3e-3)
    scheduler, _ = create_scheduler_v2(optimiser, sched="cosine", num_epochs=epochs, warmup_epochs=2)
    pixels, labels = images()
    losses = []
    for epoch in range(epochs):
        for i in range(0, 32, 16):
            mixed, targets = mixup(pixels[i : i + 16].clone(), labels[i : i + 16])
            value = loss(model(mixed), targets)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            losses.append(float(value.detach()))
        scheduler.step(epoch + 1)
    return optimiser, losses


def test_timm_loop():
    torch.manual_seed(0)
    model = ZentropyClassifier(Image(), Image(), TemperatureSet([1.0, 5.0]))
    loss = CrossZentropyLoss(model.temperatures, omega=5.0)
    groups = parameter_groups(model, lr=3e-3, weight_decay=0.05, temperature_lr=1e-2, decay_vectors=False)
    optimiser, losses = timm_loop(model, lambda outputs, targets: loss(*outputs, targets), groups, 15)
    assert np.mean(losses[-4:]) < 0.8 * np.mean(losses[:4])
    decays = {group["name"]: group["weight_decay"] for group in optimiser.param_groups}
    assert decays == {"weights": 0.05, "vectors": 0.0, "temperatures": 0.0}
    rates = {group["name"]: group["lr"] / group["initial_lr"] for group in optimiser.param_groups}
    assert max(rates.values()) < 0.2, "the schedule reaches every group"
    assert float(model.temperatures.values.detach()[1]) != 5.0
    pixels, labels = images()
    assert float((model.predict(pixels) == labels).float().mean()) > 0.9


def test_timm_loop_is_that_of_timm_s_soft_cross_entropy_in_the_limit():
    import_timm()
    from timm.loss import SoftTargetCrossEntropy

    torch.manual_seed(0)
    ours = Image()
    theirs = copy.deepcopy(ours)
    model = ZentropyClassifier(ours, None, TemperatureSet())
    loss, soft = CrossZentropyLoss(model.temperatures), SoftTargetCrossEntropy()
    _, found = timm_loop(model, lambda outputs, targets: loss(*outputs, targets), list(ours.parameters()), 4)
    parameters = list(theirs.parameters())
    _, expected = timm_loop(theirs, lambda logits, targets: soft(-logits, targets), parameters, 4)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert_same_parameters(ours, theirs, rtol=1e-3, atol=1e-4)
