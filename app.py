"""The application: configuration, Tracker, Flask. Nothing else."""

from flask import Flask

from eventum import commands
from eventum.commands import edge
from eventum.config import Config
from eventum.tracker.tracker import Tracker
from eventum.web.door import Door


def create_app(config: Config | None = None) -> Flask:
    """The Flask application on this configuration, by default that of the environment; no file is touched.

    A configuration of the environment that cannot be used ends the program with one line and exit code 78.
    """
    if config is None:
        with edge.starting():
            config = Config.from_environment()
    app = Flask(__name__)
    app.extensions["eventum"] = Tracker(config)
    for blueprint in commands.BLUEPRINTS:
        # A screen may have a command's name.
        app.register_blueprint(blueprint, name=f"command-{blueprint.name}")
    app.wsgi_app = Door(app)  # type: ignore[method-assign]  # Flask's own way to put something in front.
    return app
