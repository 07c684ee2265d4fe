"""Imaging response of bone metastases by the MD Anderson criteria. Research use only, not a medical device."""
