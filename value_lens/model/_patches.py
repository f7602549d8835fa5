"""Every temporary patch of foreign code, with its reason; each holds for one block and is taken off after it."""

from collections.abc import Sequence
from typing import Any

from ..errors import ModelLoadError
from ._items import Evaluation, ForwardOverride, Setting
from ._lease import Attachment, Item
from ._modules import walk

ATTENTION_SETTING = (
    "_attn_implementation_internal"  # where a configuration keeps `_attn_implementation`, its sub-configurations apart
)
N_LISTED = 3  # missing weights that an error message lists


def own_forwards(norms: Sequence[Any], attention: Sequence[Any]) -> list[Item]:
    """Components of a bridge run as the Hugging Face modules that they wrap, attention by PyTorch's fused kernel.

    Reason: a bridge computes attention step by step and each norm twice, for hooks that nobody has set; it has no switch for it.
    """
    configs = {id(part.original_component.config): part.original_component.config for part in attention}
    overrides = [ForwardOverride(part, part.original_component) for part in (*norms, *attention)]
    return [*overrides, *(Setting(config, ATTENTION_SETTING, "sdpa") for config in configs.values())]


def own_generation_settings(model: Any, settings: Any) -> list[Item]:
    """A Hugging Face model generates by these settings alone, in evaluation mode.

    Reason: `generate` mixes what it is given with the model's own settings, such as a repetition penalty.
    """
    return [Evaluation(walk(model).training), Setting(model, "generation_config", settings)]


def whole_checkpoints() -> Attachment:
    """While it is attached, Hugging Face's loader raises for a checkpoint that lacks weights.

    Reason: else it makes up random numbers for them. Both engines call that loader themselves, each with classes and options of its
    own, and drop what it reports: so the report is read where all of their ways meet. Tied weights are not in it; absent buffers are,
    but those are computed, not learnt.
    """
    from transformers import PreTrainedModel

    original = PreTrainedModel.__dict__["from_pretrained"]

    def from_pretrained(kind: Any, name: Any, *args: Any, output_loading_info: bool = False, **options: Any) -> Any:
        if not attachment.acts:
            return original.__func__(kind, name, *args, output_loading_info=output_loading_info, **options)
        model, report = original.__func__(kind, name, *args, output_loading_info=True, **options)
        learnt = {weight for weight, _ in model.named_parameters(remove_duplicate=False)}
        if missing := sorted(learnt & set(report["missing_keys"])):
            more = ", ..." if len(missing) > N_LISTED else ""
            raise ModelLoadError(
                f"the checkpoint of {str(name)!r} lacks {len(missing)} of the {len(learnt)} weights of a {kind.__name__}: "
                f"{', '.join(missing[:N_LISTED])}{more}; they would be random numbers. Download it again, or save the whole model "
                "(save_pretrained), with the config.json that belongs to it"
            )
        return (model, report) if output_loading_info else model

    attachment = Attachment(PreTrainedModel, [Setting(PreTrainedModel, "from_pretrained", classmethod(from_pretrained))])
    return attachment
