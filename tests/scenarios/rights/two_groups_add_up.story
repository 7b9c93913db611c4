# A member of two groups has the points of both.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Lyon is a group of Forges: Anna
Given Nantes is a group of Forges: Anna, Bruno
Given Lyon has measurements on P1
Given Nantes has measurements on P3
Then Anna uses measurements on P1, P3
Then Bruno uses measurements on P3
