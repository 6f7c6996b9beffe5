"""`zenn classify`: from labelled images or texts to a classifier, its predictions and their worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    help="Classify your own images or texts by cross-zentropy: train, then predict and evaluate.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder that train wrote.", show_default=False)]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto is a GPU where there is one.")]
Longest = Annotated[
    int | None, typer.Option(help="Tokens of a text at most.", show_default="that of the training")
]
Cut = Annotated[bool, typer.Option("--cut", help="Cut longer texts and count them; refused otherwise.")]
BY_MODEL = "that of the model"


@app.command()
def train(
    data: Annotated[
        Path,
        typer.Option(
            help="Folder with a folder of images for every class, or CSV with columns text,label or "
            "path,label.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(help="New folder for the results; it appears when all is done.", show_default=False),
    ],
    model: Annotated[
        str,
        typer.Option(
            help="mlp; vit (images) or language (texts), scaled down; a name of timm (images), a name of "
            "transformers or a folder with config.json (texts); SmolLM2-135M, SmolLM2-360M; or, with an .npz "
            "as --weights, vit_base_patch32_224, vit_large_patch32_224, vit_large_patch16_224."
        ),
    ] = "mlp",
    preset: Annotated[
        Literal["recommended", "paper", "cross-entropy"],
        typer.Option(help="How it is trained; cross-entropy is the control."),
    ] = "recommended",
    n_t: Annotated[
        int | None,
        typer.Option("--n-t", help="Temperatures N_T.", show_default="2, or 1 with cross-entropy"),
    ] = None,
    initial_temperatures: Annotated[
        str | None,
        typer.Option(
            help="Where they begin, T_1 first, which stays: e.g. 1,2,8; all different.",
            show_default="1, and 5 to 10 in geometric steps",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help=".safetensors file or its folder (.npz of a ViT), or random.",
            show_default="those published, from the Hugging Face Hub",
        ),
    ] = None,
    fine_tune: Annotated[
        Literal["lora", "all"] | None,
        typer.Option(
            help="What is learned of a published model of texts.",
            show_default="lora, but all of random weights",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data.", show_default=BY_MODEL)] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(help="Samples of an update.", show_default=f"{BY_MODEL}; less for few samples"),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Of the networks, by AdamW.", show_default=BY_MODEL)
    ] = None,
    seed: Annotated[
        list[int], typer.Option("--seed", "--seeds", help="Of a training; once for each training.")
    ] = [0],  # noqa: B006  # typer copies it
    validation_share: Annotated[float, typer.Option(help="Of the samples that are not test.")] = 0.15,
    test_share: Annotated[float, typer.Option(help="Of all samples.")] = 0.2,
    split_seed: Annotated[int, typer.Option(help="Of the split into training, validation and test.")] = 0,
    maximum_length: Annotated[int, typer.Option(help="Tokens of a text at most.")] = 512,
    cut: Cut = False,
    vocabulary: Annotated[int, typer.Option(help="Words that are told apart, without --tokenizer.")] = 8000,
    tokenizer: Annotated[
        Path | None,
        typer.Option(
            help="tokenizer.json.", show_default="words of the training texts, or that of the weights"
        ),
    ] = None,
    padding_token: Annotated[
        str | None, typer.Option(help="Of --tokenizer.", show_default="[PAD], or that of the model")
    ] = None,
    device: Device = "auto",
) -> None:
    """Train a classifier on your images or texts, and judge it on samples set aside.

    \b
    Examples: zenn classify train --data photos --model vit --n-t 2 --out run
              zenn classify train --data news.csv --seed 0 --seed 1 --out run

    Samples are divided by class, equal ones never into two parts. Writes the model
    (model.safetensors, model.json, classifier.json, tokenizer.json), data.json (what
    was found in the data), metrics.json, history.csv, predictions.safetensors,
    evaluation/ (tables of every protocol) and run.json. A killed training goes on
    when the same command is given again.
    """
    from zenn.commands.classify_train import TrainOptions, run_train

    run_train(
        data,
        out,
        TrainOptions(
            model=model,
            preset=preset,
            n_t=n_t,
            initial_temperatures=initial_temperatures,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seeds=tuple(seed),
            validation_share=validation_share,
            test_share=test_share,
            split_seed=split_seed,
            maximum_length=maximum_length,
            cut=cut,
            vocabulary=vocabulary,
            tokenizer=tokenizer,
            padding_token=padding_token,
            weights=weights,
            fine_tune=fine_tune,
            device=device,
        ),
    )


@app.command()
def predict(
    run: Run,
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Folder of images, or CSV with a column text or path; labels are not read.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="New CSV file.", show_default=False)],
    protocol: Annotated[
        Literal["marginal", "map", "first"],
        typer.Option(help="Mean over the prior of the temperatures, the most likely one, or T_1."),
    ] = "marginal",
    seed: Annotated[
        int | None, typer.Option(help="Which training of the run.", show_default="the first")
    ] = None,
    maximum_length: Longest = None,
    cut: Cut = False,
    device: Device = "auto",
) -> None:
    """Predict the classes of samples without labels.

    \b
    Example: zenn classify predict run new_photos --out predictions.csv

    Writes for every sample (path of the image, or line of the CSV) the most likely
    label, the probability of each class, and the posterior of each temperature.
    """
    from zenn.commands.classify_predict import run_predict

    run_predict(run, data, out, protocol, seed, maximum_length, cut, device)


@app.command()
def evaluate(
    run: Run,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Labelled samples, as for train; all of them are test.",
            show_default="the test samples that train set aside",
        ),
    ] = None,
    control: Annotated[
        list[Path],
        typer.Option(
            metavar="RUN",
            help="Another run on the same data and split, to be compared with; once for each.",
            show_default=False,
        ),
    ] = [],  # noqa: B006  # typer copies it
    maximum_length: Longest = None,
    cut: Cut = False,
    device: Device = "auto",
) -> None:
    """Say how good a classifier is, under every protocol.

    \b
    Examples: zenn classify evaluate run --data test_photos
              zenn classify evaluate run --control cross-entropy-run

    One table: error, NLL, Brier score and ECE (15 bins), plain and after temperature
    scaling fitted on validation samples. The first row is what predict does. The
    oracle is the evaluation that Paper A prints: it uses the test labels, and the
    column permuted shows it. With --control a second table: the differences from other
    runs over the seeds that both have, without test labels.
    """
    from zenn.commands.classify_predict import run_evaluate

    run_evaluate(run, data, maximum_length, cut, device, control)
