"""One module per subject: which steps it consists of and what each depends on."""
