"""The command tree. Each command's module is imported only when it is called, so that `stepdown --help` is quick."""

from importlib import import_module

import click

import stepdown as package

_COMMANDS = {
    "serve": ("stepdown.cli.serve:serve", "Serve the pathways of a configuration file."),
    "health": ("stepdown.cli.health:health", "Say whether the server of a configuration file lives."),
    "demo": ("stepdown.cli.demo:demo", "Serve the demonstration pathway on this machine."),
    "assess": ("stepdown.cli.assess:assess", "Replay a patient record against a running server."),
    "outcome": ("stepdown.cli.outcome:outcome", "Report what became of a patient, or what was thought of an answer."),
    "tier": ("stepdown.cli.tier:tier", "Show the tiers of a server, take one out, give it back."),
    "probe": ("stepdown.cli.probe:probe", "Show which execution providers really work here."),
    "bundle": ("stepdown.cli.bundle.command:bundle", "Make, sign, verify and inspect bundles."),
    "trust": ("stepdown.cli.trust.command:trust", "Sign and check trust policies, lower a version floor."),
    "drill": ("stepdown.cli.drill.command:drill", "Rehearse failures and judge them against objectives."),
    "ledger": ("stepdown.cli.ledger.command:ledger", "Check a ledger, show a record, prove that it is there."),
    "card": ("stepdown.cli.card:card", "Show a bundle's model card."),
}


class LazyGroup(click.Group):
    """A group whose commands are named here and imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package.__version__, prog_name="stepdown")
def stepdown() -> None:
    """Clinical inference that always says which tier answered, and steps down instead of failing."""
