"""The Python client: what an integration needs to ask a server and to read its answers.

Imports the generated contract only.

    from stepdown.client import AssessmentClient, Encounter

Refuses to judge an answer, to cache one, or to fall back to anything of its own: stepping down is the server's
business.
"""

from stepdown.client.connection import AssessmentClient, Credentials
from stepdown.client.encounter import Encounter
from stepdown.client.failures import AssessmentError

__all__ = ["AssessmentClient", "AssessmentError", "Credentials", "Encounter"]
