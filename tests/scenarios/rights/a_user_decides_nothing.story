# Without the entitlement, a user changes no right, not even their own.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Lyon is a group of Forges: Bruno
When Anna gives meters on all points to Lyon -> NotAllowed
When Anna makes Anna the members of Lyon -> NotAllowed
When Anna detaches Bruno from Forges -> NotAllowed
When Anna invites Zoe to Forges -> NotAllowed
