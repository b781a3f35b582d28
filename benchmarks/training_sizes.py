"""The models whose training is timed, at the sizes of published TIMIT recipes."""

from dataclasses import dataclass

from asr.config import (
    CnnConfig,
    ConvolutionConfig,
    CrdnnConfig,
    DnnConfig,
    FeaturesConfig,
    GruConfig,
    LightGruConfig,
    LstmConfig,
    ModelConfig,
)

FEATURES = FeaturesConfig(type="fbank", bins=40)
FRAMES = 256  # a minibatch of single frames, as in recipes/timit
EIGHT_UTTERANCES = 2500  # frames of about eight utterances, the minibatch of both sources for whole utterances


@dataclass(frozen=True)
class Size:
    """A model, its name in tables, and the frames of a minibatch."""

    title: str
    model: ModelConfig
    batch_size: int


def sizes(width: int | None = None) -> dict[str, Size]:
    """The six models; `width` replaces the number of units of every layer, for a quick check.

    All but the CRDNN are after pytorch-kaldi's cfg/TIMIT_baselines/TIMIT_{MLP,CNN,LSTM,GRU,liGRU}_fbank.cfg (Ravanelli
    et al. 2019): 40 filterbanks, 11 spliced frames for MLP and CNN. There the CNN's kernels slide along all 11 frames
    laid end to end; here along the bins of each, and the first spans 9 bins, not 10, as SpeechBrain's are odd. The
    CRDNN is SpeechBrain's recipes/TIMIT/ASR/CTC/hparams/train.yaml. Normalisation is what SpeechBrain's layer of the
    kind has, so that both do the same arithmetic.
    """

    def units(published: int) -> int:
        return width or published

    dnn = DnnConfig(layers=5, width=units(1024), context=5, normalization="batch", dropout=0.15)
    cnn = CnnConfig(
        context=5,
        convolutions=[
            convolution(units(80), 9, 4, 3),
            convolution(units(60), 3, 1, 2),
            ConvolutionConfig(filters=units(60), kernel=(1, 3), padding=(0, 1), dropout=0.15),
        ],
        layers=4,
        width=units(1024),
        normalization="layer",
        dropout=0.15,
    )
    lstm = LstmConfig(layers=4, width=units(550), normalization="none", dropout=0.2)
    gru = GruConfig(layers=5, width=units(550), normalization="none", dropout=0.2)
    light_gru = LightGruConfig(layers=5, width=units(550), normalization="batch", dropout=0.2)
    crdnn = CrdnnConfig(
        filters=[units(128), units(256)],
        subsampling=2,
        recurrent="ligru",
        recurrent_layers=4,
        recurrent_width=units(512),
        layers=2,
        width=units(512),
        normalization="batch",
        dropout=0.15,
    )
    return {
        "dnn": Size(f"DNN 5 x {dnn.width}", dnn, FRAMES),
        "cnn": Size(f"CNN 3 convolutions, 4 x {cnn.width}", cnn, EIGHT_UTTERANCES),
        "bilstm": Size(f"BiLSTM 4 x {lstm.width}", lstm, EIGHT_UTTERANCES),
        "bigru": Size(f"BiGRU 5 x {gru.width}", gru, EIGHT_UTTERANCES),
        "ligru": Size(f"light BiGRU 5 x {light_gru.width}", light_gru, EIGHT_UTTERANCES),
        "crdnn": Size(f"CRDNN, light BiGRU 4 x {crdnn.recurrent_width}", crdnn, EIGHT_UTTERANCES),
    }


def convolution(filters: int, bins: int, padding: int, pool: int) -> ConvolutionConfig:
    """A convolution over `bins` bins, then max pooling over `pool`."""
    return ConvolutionConfig(
        filters=filters, kernel=(1, bins), padding=(0, padding), pooling="max", pool_size=(1, pool), dropout=0.15
    )
