"""`python -m opsmend.cli`: the same command where no script is installed, as the parts of `opsmend up` are started."""

from opsmend.cli import main

main()
