"""The classifier: predictions without labels, in training and in evaluation mode."""

import inspect

import numpy as np
import pytest
import torch
from torch import nn

from zenn.classification import protocols
from zenn.classification.classifier import ZentropyClassifier
from zenn.classification.loss import CrossZentropyLoss
from zenn.classification.outputs import Outputs, marginal
from zenn.classification.temperatures import TemperatureSet, parameter_groups
from zenn.errors import InputError

K = 4


def network(dropout=0.0):
    return nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, K))


def classifier(**options):
    torch.manual_seed(0)
    return ZentropyClassifier(network(), network(), TemperatureSet([1.0, 0.3, 6.0]), **options)


@pytest.fixture
def x():
    return 2 * torch.randn(30, 5, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("prior", ["uniform", "learned"])
@pytest.mark.parametrize("entropy", ["positive", "free"])
def test_predictions_are_those_of_the_protocols(x, prior, entropy):
    model = classifier(prior=prior, entropy=entropy, boltzmann_constant=0.7, gamma=3.0)
    pi = None
    if model.prior is not None:
        with torch.no_grad():
            model.prior.logits.copy_(torch.tensor([0.0, 1.0, -1.0]))
        pi = torch.softmax(model.prior.logits, 0).detach().numpy()
    E, S = (one.detach().numpy() for one in model(x))
    assert (S.min() > 0) == (entropy == "positive")
    stored = Outputs(E, S, model.temperatures.values.detach().numpy(), pi, 0.7, 3.0)
    for name, function in {
        "marginal": marginal,
        "map": protocols.map_temperature,
        "first": protocols.first_temperature,
    }.items():
        expected = np.exp(function(stored))
        np.testing.assert_allclose(model.predict_proba(x, name), expected, rtol=1e-4, atol=1e-6)
        assert np.array_equal(model.predict(x, name), expected.argmax(1))
    np.testing.assert_allclose(
        model.temperature_posterior(x), protocols.temperature_posterior(stored), rtol=1e-4, atol=1e-6
    )


def test_entropy_is_softplus_of_the_encoder(x):
    free, positive = classifier(entropy="free"), classifier(entropy="positive")
    torch.testing.assert_close(positive(x)[1], torch.log1p(torch.exp(free(x)[1])))


def test_one_encoder_at_temperature_one_is_softmax(x):
    encoder = network()
    model = ZentropyClassifier(encoder, None, TemperatureSet())
    assert model(x)[1] is None
    for protocol in ("marginal", "map", "first"):
        torch.testing.assert_close(model.predict_proba(x, protocol), torch.softmax(-encoder(x), 1).detach())


def test_predictions_take_no_label():
    for name in ("forward", "predict_proba", "predict", "temperature_posterior"):
        parameters = set(inspect.signature(getattr(ZentropyClassifier, name)).parameters)
        assert parameters <= {"self", "batch", "protocol", "omega"}


def test_a_prediction_needs_no_gradient_and_leaves_the_modes(x):
    model = ZentropyClassifier(network(dropout=0.5), network(), TemperatureSet([1.0, 5.0]))
    model.train()
    model.entropy_encoder.eval()  # frozen on purpose
    first, second = model.predict_proba(x), model.predict_proba(x)
    assert torch.equal(first, second)
    assert not first.requires_grad
    assert model.training
    assert model.energy_encoder.training
    assert not model.entropy_encoder.training


def test_batches_may_be_dictionaries_and_half_precision(x):
    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Linear(5, K)

        def forward(self, batch):
            return self.net(batch["pixels"])

    model = ZentropyClassifier(Encoder(), Encoder(), TemperatureSet([1.0, 5.0]), prior="learned")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        p = model.predict_proba({"pixels": x})
    assert p.dtype == torch.float32
    torch.testing.assert_close(p.sum(1), torch.ones(30))


def test_it_learns_with_its_temperatures_and_prior():
    """Labels of which some were drawn at random, for the higher temperature to explain."""
    random = torch.Generator().manual_seed(2)
    x = torch.randn(600, 5, generator=random)
    y = x[:, :K].argmax(1)
    noisy = torch.rand(600, generator=random) < 0.3
    y = torch.where(noisy, torch.randint(K, (600,), generator=random), y)
    torch.manual_seed(0)
    model = ZentropyClassifier(network(), None, TemperatureSet([1.0, 5.0]), prior="learned")
    loss = CrossZentropyLoss(model.temperatures, prior=model.prior, omega=1.0)
    groups = parameter_groups(model, loss, lr=0.02, weight_decay=0.0, temperature_lr=0.02)
    assert [group["name"] for group in groups] == ["weights", "temperatures", "prior"]
    optimiser = torch.optim.AdamW(groups)
    for _ in range(150):
        optimiser.zero_grad()
        loss(*model(x), y).backward()
        optimiser.step()
    clean = float((model.predict(x)[~noisy] == y[~noisy]).float().mean())
    assert clean > 0.85
    assert float(model.temperatures.values.detach()[1]) != 5.0
    assert float(model.prior.log_probabilities.detach().exp()[0]) > 0.5


def test_a_state_holds_everything(x):
    model, other = classifier(prior="learned"), classifier(prior="learned")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.predict_proba(x), model.predict_proba(x))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"prior": "flat"}, "prior: found flat"), ({"entropy": "any"}, "entropy: found any")],
)
def test_options_are_checked(options, message):
    with pytest.raises(InputError, match=message):
        classifier(**options)


def test_protocols_and_encoders_are_checked(x):
    with pytest.raises(InputError, match="protocol: found oracle, expected marginal, map or first"):
        classifier().predict_proba(x, "oracle")
    shared = network()
    with pytest.raises(InputError, match="entropy_encoder"):
        ZentropyClassifier(shared, shared, TemperatureSet())
    broken = classifier()
    with torch.no_grad():
        broken.energy_encoder[0].bias.fill_(float("nan"))
    with pytest.raises(InputError, match="energies: found NaN"):
        broken.predict(x)
