"""The project's exceptions: what was wrong, with which input, what to do, in Korean.

Their text is shown to users as it is (browser and command line), so it never carries a stack trace.
"""


class LawError(Exception):
    """Anything a user can be told about and act on."""


class SettingsError(LawError):
    """An option has a value that cannot be used."""


class SourceError(LawError):
    """A file or record could not be read as a statute."""


class NetworkError(LawError):
    """A server cannot be reached, or does not give what it is asked for."""


class EmbedderError(LawError):
    """The embedding model could not be loaded or does not fit."""


class StoreError(LawError):
    """The data folder or the vector collection cannot be used."""


class StoreMismatchError(StoreError):
    """The store was built with another model, prompt, dimension or metric than the one configured."""


class StoreBusyError(StoreError):
    """Another process holds the store for writing."""


class QuestionSetError(LawError):
    """A question-set file breaks its format."""
