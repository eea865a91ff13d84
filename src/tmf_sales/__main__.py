"""`python -m tmf_sales` is the command `tmf-sales`."""

from tmf_sales.cli import main

if __name__ == "__main__":
    main()
