"""The MD Anderson sets: one engine that judges lesions, modalities and the patient by a table of rows."""
