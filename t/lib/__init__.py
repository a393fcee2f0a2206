"""What the black-box tests share: TAP, a lab of real programs, raw HTTP."""
