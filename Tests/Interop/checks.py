class Checks:
    """Says each claim and whether it holds; counts those that do not."""

    def __init__(self):
        self.failed = 0

    def __call__(self, what, is_so):
        print("ok  " if is_so else "FAIL", what, flush=True)
        self.failed += not is_so
