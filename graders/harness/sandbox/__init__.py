"""The boundary: what a submission is asked, in a process that knows no answer, and what comes back as data."""
