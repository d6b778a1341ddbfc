"""Characters to codes and back, and text that a stateful model continues."""

from collections.abc import Iterator

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.run._sampling import Choose
from edgeternary.run.result import Session


class Vocabulary:
    """The characters of a language model: meta.labels, one for each code of the input and each output.

    EdgeTernaryError for a model that is no language model of characters.
    """

    def __init__(self, graph: Graph) -> None:
        self.symbols = graph.meta.labels
        single = all(len(symbol) == 1 for symbol in self.symbols)
        count = len(self.symbols)
        if not count or not single or graph.input.shape != (1,) or graph.output_value.shape != (count,):
            raise EdgeTernaryError(
                f"model {graph.name!r} has no vocabulary",
                "a language model takes one code, answers with one logit a symbol, and its labels are those "
                "characters",
                "give a model of edgeternary.nn.lm, lowered with its symbols",
            )
        self.codes = {symbol: code for code, symbol in enumerate(self.symbols)}

    def encode(self, text: str) -> list[int]:
        """Codes of a text. EdgeTernaryError when it is empty or has characters that the model never saw."""
        if not text:
            raise EdgeTernaryError(
                "the prompt is empty", "the model continues a text", 'start one, as in --prompt "In the "'
            )
        unknown = sorted(set(text) - set(self.codes))
        if unknown:
            raise EdgeTernaryError(
                f"the prompt has {', '.join(map(repr, unknown[:8]))}, which the model does not know",
                f"its {len(self.symbols)} characters are {''.join(self.symbols)!r}",
                "write the prompt with these",
            )
        return [self.codes[symbol] for symbol in text]


def continued(
    session: Session, vocabulary: Vocabulary, prompt: str, length: int, choose: Choose
) -> Iterator[str]:
    """`length` characters after `prompt`, each as soon as it is chosen. Every character read is a step."""
    codes = vocabulary.encode(prompt)
    for code in codes[:-1]:
        session.step(np.array([code]))
    code = codes[-1]
    for _ in range(length):
        code = choose(session.step(np.array([code])))
        yield vocabulary.symbols[code]
