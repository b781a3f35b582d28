"""A recipe's mistakes are named in one line, and a recipe survives being written and read."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.config import AdamConfig, CosineSchedule, DnnConfig, NewbobSchedule, RecipeConfig, Section, SgdConfig
from asr.config.recipe_file import read_recipe, write_recipe
from asr.errors import InputError
from asr.phones.phone_set import load_phone_set

MINIMAL = "corpus:\n  name: timit\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text)
    return path


def test_minimal_recipe_has_defaults(tmp_path: Path) -> None:
    config = read_recipe(write(tmp_path, MINIMAL))
    assert config.corpus.name == "timit"
    assert config.features.bins == 40


def test_overrides_are_yaml_and_make_sections(tmp_path: Path) -> None:
    path = write(tmp_path, MINIMAL)
    config = read_recipe(path, ["model.dropout=0.3", "decoding.acoustic_scales=[0.5]", "corpus.dir=/a b/c"])
    assert config.model.dropout == 0.3
    assert config.decoding.acoustic_scales == [0.5]
    assert config.corpus.dir == Path("/a b/c")


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("training.optimizer.learning_rate=0.01", AdamConfig(learning_rate=0.01)),
        ("training.optimizer.type=sgd", SgdConfig()),
        ("training.schedule.factor=0.7", NewbobSchedule(factor=0.7)),
        ("training.schedule.type=cosine", CosineSchedule()),
        ("model.dropout=0.5", DnnConfig(dropout=0.5)),
    ],
)
def test_a_section_without_a_type_is_of_the_default_type(tmp_path: Path, override: str, expected: Section) -> None:
    config = read_recipe(write(tmp_path, MINIMAL), [override])
    assert expected in (config.training.optimizer, config.training.schedule, config.model)


def test_a_given_type_stays(tmp_path: Path) -> None:
    path = write(tmp_path, MINIMAL + "training:\n  optimizer: {type: sgd}\n")
    config = read_recipe(path, ["training.optimizer.learning_rate=0.01"])
    assert config.training.optimizer == SgdConfig(learning_rate=0.01)


@pytest.mark.parametrize(
    ("text", "overrides", "expected"),
    [
        (MINIMAL + "modle: {}\n", [], "modle: unknown key; allowed here: augmentation, corpus, decoding"),
        (MINIMAL, ["model.dropuot=0.1"], "model.dropuot: unknown key; allowed here: "),
        (MINIMAL, ["model.dropout=much"], "model.dropout: 'much' is not allowed"),
        (MINIMAL, ["model.dropout=1.5"], "less than 1"),
        (MINIMAL, ["features.type=plp"], "'fbank', 'mfcc' or 'waveform'"),
        (MINIMAL, ["features.type=mfcc", "features.bins=10"], "recipe.yaml: features: cepstra (13) must not be more "),
        (
            MINIMAL,
            ["features.cmvn=none", "features.floor=-3"],
            "recipe.yaml: features: cmvn is none, so that ",
        ),
        (MINIMAL, ["features.cmvn=none", "features.cmvn_frames=speech"], "and floor have no effect; leave them out"),
        (MINIMAL, ["features.cmvn=none", "features.cmvn_prior=9"], "and floor have no effect; leave them out"),
        (MINIMAL, ["features.cmvn=global", "features.cmvn_prior=9"], "cmvn_prior needs cmvn: speaker or utterance"),
        (MINIMAL, ["training.loss=ctc"], "recipe.yaml: training.loss: ctc needs targets.states: 1"),
        (
            MINIMAL,
            ["training.optimizer.type=lion"],
            "training.optimizer.type: 'lion' is not allowed; use adagrad, adam, adamw, rmsprop, sgd",
        ),
        (MINIMAL, ["training.schedule.type="], "training.schedule.type: None is not allowed; use constant, cosine, "),
        (MINIMAL, ["model.type=[dnn]"], "model.type: ['dnn'] is not allowed; use cnn, conformer, "),
        (MINIMAL, ["training.optimizer=adam"], "it is a section of keys; its type is adagrad, adam, "),
        (MINIMAL, ["training=5"], "training: 5 is not allowed: it is a section of keys; such as epochs"),
        (MINIMAL, ["training.optimizer.momentum=0.5"], "training.optimizer.momentum: unknown key; allowed here: learn"),
        (MINIMAL, ["training.optimizer.learning_rate=.inf"], "training.optimizer.learning_rate: inf is not allowed"),
        (MINIMAL, ["decoding.insertion_penalties=[.nan]"], "decoding.insertion_penalties.0: nan is not allowed"),
        (MINIMAL, ["decoding.search=prefix_beam", "decoding.ctc=modified"], "decoding: ctc: modified needs a graph"),
        (MINIMAL, ["decoding.search=greedy", "decoding.nbest=2"], "greedy finds one sequence; set nbest: 0"),
        (MINIMAL, ["decoding.nbest=10001"], "decoding.nbest: 10001 is not allowed"),
        (MINIMAL, ["decoding.search=prefix_beam", "decoding.nbest=17"], "no more than its prefixes (16); raise pref"),
        (MINIMAL, ["seed=-1"], "seed: -1 is not allowed"),
        (MINIMAL, ["seed=4294967296"], "seed: 4294967296 is not allowed"),
        (MINIMAL, ["corpus.folds=3"], "corpus: folds: 3 is not for timit; use 1 or 4"),
        (MINIMAL, ["training.optimizer={type: sgd, momentun: 0.9}"], "learning_rate, momentum, type, weight_decay"),
        (MINIMAL, ["dropout"], "write it as key.key=value"),
        (MINIMAL, ["seed.value=1"], "seed"),
        ("corpus: {}\n", [], "corpus.name: is missing"),
        ("seed: 1\nseed: 2\n", [], "key 'seed' occurs twice"),
        ("corpus: [\n", [], "not valid YAML"),
        ("- 1\n", [], "a recipe is a mapping"),
        (MINIMAL + "seed: -1\nmodel:\n  dropout: 2\n", [], "recipe.yaml:3: seed: -1 is not allowed"),
        (MINIMAL + "seed: -1\nmodel:\n  dropout: 2\n", [], "; line 5: model.dropout: 2 is not allowed"),
        (MINIMAL + "seed: 1\n", ["seed=-1"], "recipe.yaml: --set seed: -1"),
        (MINIMAL, ["training.epoch=3"], ": --set training.epoch: unknown key; allowed here: "),
        (MINIMAL, ["training.optimizer.type=x"], ": --set training.optimizer.type: 'x' is not allowed; use adagrad"),
        (MINIMAL + "training: {epoch: 3}\n", ["training.epochs=3"], ": training.epoch: unknown key"),
        (MINIMAL + "model:\n  type: dnn\n", ["model.type=x"], "recipe.yaml: --set model.type: 'x' is not allowed"),
        (MINIMAL, ["model={width: x}"], "--set model.width: 'x' is not allowed"),
        (MINIMAL, ["other.key=1"], "--set other: unknown key; allowed here: augmentation"),
        (MINIMAL, ["seed=!!bool x"], "--set seed=!!bool x: the value is not valid YAML"),
        ("corpus: !!python/object/apply:os.system ['true']\n", [], "not valid YAML"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, text: str, overrides: list[str], expected: str) -> None:
    with pytest.raises(InputError) as caught:
        read_recipe(write(tmp_path, text), overrides)
    message = str(caught.value)
    assert expected in message
    assert "\n" not in message


def test_missing_recipe_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.yaml: cannot read: No such file"):
        read_recipe(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match="is a folder"):
        read_recipe(tmp_path)


@given(
    seed=st.integers(0, 2**31),
    dropout=st.floats(0, 0.99),
    layers=st.integers(0, 12),
    directory=st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1),
)
def test_write_then_read_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, seed: int, dropout: float, layers: int, directory: str
) -> None:
    config = RecipeConfig.model_validate(
        {
            "seed": seed,
            "corpus": {"name": "timit", "dir": directory},
            "model": {"dropout": dropout, "layers": layers},
        }
    )
    path = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    write_recipe(path, config)
    assert read_recipe(path) == config


@pytest.mark.parametrize(
    ("phone_set", "expected"),
    [
        ("arpabet", "targets.phone_set: 'arpabet' is not allowed: phone set 'arpabet': choose timit61, timit48"),
        ("{name: mine, symbols: [a, a]}", "targets.phone_set: symbol 'a' occurs twice; remove one"),
        ("{name: mine, symbols: []}", "targets.phone_set: symbols: List should have at least 1 item"),
        ("{name: mine, letters: [a]}", "targets.phone_set: symbols: Field required"),
        ("{name: timit39, symbols: [a]}", "targets.phone_set: the name timit39 belongs to a phone set that ships"),
        (
            "{name: mine, symbols: [a]}",
            "timit is transcribed in timit61 and cannot be folded to mine; write the folding",
        ),
        ("[a, b]", "targets.phone_set: ['a', 'b'] is not allowed"),
    ],
)
def test_a_phone_set_that_does_not_fit_is_named(tmp_path: Path, phone_set: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        read_recipe(write(tmp_path, MINIMAL + f"targets:\n  phone_set: {phone_set}\n"))
    assert expected in str(caught.value)


def test_a_flat_start_needs_a_silence(tmp_path: Path) -> None:
    symbols = load_phone_set("timit61")
    pairs = ", ".join(f"'{symbol}': {'null' if symbol in symbols.silences else 'a'}" for symbol in symbols)
    mine = f"{{name: mine, symbols: [a], foldings: {{timit61-mine: {{{pairs}}}}}}}"
    path = write(tmp_path, MINIMAL + f"targets:\n  phone_set: {mine}\n")
    assert read_recipe(path).targets.phone_set.silences == ()
    with pytest.raises(InputError, match=r"training.flat_start needs a silence in targets.phone_set \(mine\)"):
        read_recipe(path, ["training.flat_start=true"])
