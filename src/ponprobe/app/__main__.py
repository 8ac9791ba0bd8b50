"""``python -m ponprobe.app`` is the ``ponprobe`` command."""

from ponprobe.app import main

if __name__ == "__main__":
    main()
