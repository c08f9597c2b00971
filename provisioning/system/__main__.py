"""`python -m provisioning.system`."""

from provisioning.system.commands import main

if __name__ == "__main__":
    main()
