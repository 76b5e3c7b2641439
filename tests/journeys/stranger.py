"""`flask` as another system user: run as root it becomes nobody first, otherwise it stays who it is.

Everything is imported before, because nobody may not be able to read where this repository lies.
"""

import importlib
import os
import pkgutil
import pwd
import sys

import eventum
from app import create_app
from eventum.config import Config


def main() -> None:
    for module in pkgutil.walk_packages(eventum.__path__, "eventum."):
        if not module.name.endswith(("__main__", "tracker.reader")):
            importlib.import_module(module.name)
    # What is imported late although nobody asks for it by name.
    "".encode("idna")
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
    os.chdir("/")
    app = create_app(Config.from_environment())
    with app.app_context():
        app.cli.main(sys.argv[1:], prog_name="flask", obj=None)


if __name__ == "__main__":
    main()
