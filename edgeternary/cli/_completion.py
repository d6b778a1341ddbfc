"""Completion in bash, which takes zoo:NAME and hdl:DEVICE for three words each."""

from __future__ import annotations

from typing import Any

from click.shell_completion import BashComplete, CompletionItem, add_completion_class


class Bash(BashComplete):
    """click's completion with words joined at their colons; what it completes is the part after the last."""

    def get_completion_args(self) -> tuple[list[str], str]:
        words, incomplete = super().get_completion_args()
        joined = [""]
        for word in [*words, incomplete]:
            if word.startswith(":") or joined[-1].endswith(":"):
                joined[-1] += word
            else:
                joined.append(word)
        *before, last = joined[1:]
        return before, last

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        found = super().get_completions(args, incomplete)
        known = len(incomplete.rpartition(":")[0]) + 1 if ":" in incomplete else 0
        for item in found:
            item.value = item.value[known:] if item.type == "plain" else item.value
        return found


add_completion_class(Bash)
